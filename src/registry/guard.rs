//! Which addresses may be connected to (R6): names are resolved here, and what they resolve to is vetted, so that
//! no name in a manifest leads a server to its own network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange {
    base: IpAddr,
    bits: u8,
}

/// Why a text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no range of addresses, expected one such as 10.0.0.0/8 or fd00::/8")]
pub struct RangeError(String);

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let wrong = || RangeError(text.to_owned());
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { base, bits })
    }
}

impl AddressRange {
    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, embedded(address)) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == address.to_bits() & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Which addresses may be connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressGuard {
    /// Any: for a person's own command line.
    #[default]
    Any,
    /// Public ones, and private ones in these ranges: for a server that resolves names others wrote.
    Public {
        /// The ranges that are allowed besides.
        allow: Vec<AddressRange>,
    },
}

/// An address that may not be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct AddressRefused {
    name: String,
    address: IpAddr,
    kind: &'static str,
}

impl fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == self.address.to_string() {
            write!(f, "{} is {}, which is not allowed", self.address, self.kind)
        } else {
            write!(f, "{} is at {}, {}, which is not allowed", self.name, self.address, self.kind)
        }
    }
}

impl AddressGuard {
    /// Vets the address that `name` stands for.
    ///
    /// # Errors
    /// [`AddressRefused`] with the kind of address it is.
    pub fn vet(&self, name: &str, address: IpAddr) -> Result<(), AddressRefused> {
        let Self::Public { allow } = self else { return Ok(()) };
        match private_kind(embedded(address)) {
            Some(kind) if !allow.iter().any(|range| range.contains(address)) => {
                Err(AddressRefused { name: name.to_owned(), address, kind })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl AddressGuard {
    /// Vets what `name` resolves to here. A name that does not resolve is for whoever does resolve it.
    ///
    /// # Errors
    /// [`AddressRefused`] when none of its addresses may be connected to.
    pub(super) async fn vet_name(&self, name: &str) -> Result<(), AddressRefused> {
        let Ok(addresses) = tokio::net::lookup_host((name, 0)).await else { return Ok(()) };
        self.allowed(name, addresses).map(|_| ())
    }

    /// Those of the addresses of `name` that may be connected to.
    fn allowed(
        &self,
        name: &str,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, AddressRefused> {
        let (mut allowed, mut refused) = (Vec::new(), None);
        for address in addresses {
            match self.vet(name, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if allowed.is_empty() => Err(error),
            Some(_) | None => Ok(allowed),
        }
    }
}

/// The IPv4 address that an IPv6 address carries (mapped, compatible, NAT64, 6to4), or the address itself.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0, 0, 0, 0, 0, 0] if !v6.is_loopback() && !v6.is_unspecified() => v4(g, h),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

/// What an address that is not public is; `None` for a public one.
fn private_kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => private_v6(v6),
    }
}

/// Where clouds answer their machines.
const METADATA: [[u8; 4]; 2] = [[169, 254, 169, 254], [100, 100, 100, 200]];

fn private_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        _ if METADATA.contains(&address.octets()) => "a cloud's metadata service",
        (127, ..) => "a loopback address",
        (169, 254, _) => "a link-local address",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "a carrier's shared address",
        (0, ..) => "an address of this network",
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (198, 18..=19, _) | (240.., ..) => {
            "a reserved address"
        }
        (224..=239, ..) => "a multicast address",
        _ => return None,
    })
}

fn private_v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    Some(match segments[0] {
        _ if address.is_loopback() => "a loopback address",
        _ if address.is_unspecified() => "the unspecified address",
        _ if segments == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => "a cloud's metadata service",
        first if first & 0xfe00 == 0xfc00 => "a private address",
        first if first & 0xffc0 == 0xfe80 => "a link-local address",
        first if first & 0xffc0 == 0xfec0 => "a private address",
        first if first & 0xff00 == 0xff00 => "a multicast address",
        0x64 if segments[1] == 0xff9b => "a translated address",
        0x100 if segments[1..4] == [0, 0, 0] => "a discarded address",
        0x2001 if segments[1] == 0 || segments[1] == 0xdb8 => "a reserved address",
        _ => return None,
    })
}

/// Resolves names with the system's resolver and keeps the addresses that may be connected to.
impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(Box::new(guard.allowed(name, addresses)?.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public() {
        let guard = AddressGuard::Public { allow: Vec::new() };
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.1.1",
            "100.64.0.1",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "::127.0.0.1",
            "2001:db8::1",
            "64:ff9b:1::1",
            "100::1",
        ] {
            assert!(guard.vet("name", text.parse().unwrap()).is_err(), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.169.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(guard.vet("name", text.parse().unwrap()), Ok(()), "{text}");
        }
    }

    #[test]
    fn ranges() {
        let range = |text: &str| text.parse::<AddressRange>();
        let allow =
            vec![range("10.0.0.0/8").unwrap(), range("fd00::/8").unwrap(), range("127.0.0.1").unwrap()];
        let guard = AddressGuard::Public { allow };
        for (text, allowed) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd12::1", true),
            ("fc00::1", false),
            ("192.168.0.1", false),
        ] {
            assert_eq!(guard.vet("name", text.parse().unwrap()).is_ok(), allowed, "{text}");
        }
        assert!(range("0.0.0.0/0").unwrap().contains("10.0.0.1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "host"] {
            assert!(range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_message_says_where_the_name_leads() {
        let guard = AddressGuard::Public { allow: Vec::new() };
        let message =
            |name: &str, address: &str| guard.vet(name, address.parse().unwrap()).unwrap_err().to_string();
        assert_eq!(
            message("evil.example", "10.0.0.1"),
            "evil.example is at 10.0.0.1, a private address, which is not allowed"
        );
        assert_eq!(
            message("127.0.0.1", "127.0.0.1"),
            "127.0.0.1 is a loopback address, which is not allowed"
        );
    }
}
