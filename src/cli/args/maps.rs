//! Where the rules come from.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{BoolishValueParser, TypedValueParser};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct MapsArgs {
    /// Maps file; can be repeated, and for the same key later files win; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub maps: Vec<PathBuf>,
    /// A single rule; can be repeated, and wins over files
    #[arg(long, value_name = "KEY::VALUE")]
    pub map: Vec<String>,
    /// Skip lines that are not valid rules, with a warning, as imageswap-webhook does
    #[arg(long, env = "IMAGESWAP_MAPS_LENIENT", value_parser = Boolish,
        num_args = 0, default_missing_value = "true", default_value = "false", hide_env_values = true)]
    pub lenient_maps: bool,
    /// Follow rules whose result another rule rewrites, instead of reporting them
    #[arg(long)]
    pub allow_chained: bool,
    /// Put PREFIX before every image instead of reading maps (deprecated, as in imageswap-webhook's LEGACY mode)
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["maps", "map"])]
    pub legacy_prefix: Option<String>,
}

/// A switch as environments write it: clap's words for true and false, and set but empty is off.
#[derive(Debug, Clone, Copy)]
pub struct Boolish;

impl TypedValueParser for Boolish {
    type Value = bool;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<bool, clap::Error> {
        if value.is_empty() { Ok(false) } else { BoolishValueParser::new().parse_ref(command, arg, value) }
    }
}
