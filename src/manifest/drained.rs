//! Taking the items out of a list of which there may be millions, while they become something else of that size.

/// The items of `list`, in order. The memory of a long list is given back bit by bit, so that it and what is made of it are
/// not there in full at once.
pub fn drained<T>(mut list: Vec<T>) -> impl Iterator<Item = T> {
    let step = list.len() / STEPS;
    let is_long = list.len() > LONG;
    if is_long {
        list.reverse();
    }
    let (short, mut long) = if is_long { (Vec::new(), list) } else { (list, Vec::new()) };
    let from_end = std::iter::from_fn(move || {
        let item = long.pop()?;
        if long.capacity() - long.len() > step {
            long.shrink_to_fit();
        }
        Some(item)
    });
    short.into_iter().chain(from_end)
}

/// How many items are worth the trouble.
const LONG: usize = 10_000;

/// In how many steps the memory is given back.
const STEPS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_all_items_in_order() {
        for length in [0, 1, 17, LONG, LONG + 1, 3 * LONG + 5] {
            assert!(drained((0..length).collect()).eq(0..length), "{length}");
        }
    }
}
