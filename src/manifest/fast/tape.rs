//! The marks of a text, found in one pass of vector instructions before it is read. The reader then goes from
//! mark to mark and looks at few of the bytes between.

use wide::i8x16;

/// How many bytes are looked at together, a bit each.
const BLOCK: usize = 64;

/// How many offsets a list may hold beyond one text: what a file of several MB needs.
const MOST_KEPT: usize = 1 << 20;

/// How many offsets a list may hold of any text.
const ALWAYS_ROOM: usize = 4 << 20;

/// The offsets, rising, of what the structure of a text hangs on.
#[derive(Debug, Default)]
pub(super) struct Tape {
    contents: Offsets,
    ends: Offsets,
    marks: Offsets,
}

/// What [`Tape::read`] found. Behind all of each stands the end of the text, twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'t> {
    /// The first byte of each line that is no space; of a line of spaces alone, the first of its line break.
    pub(super) contents: &'t [u32],
    /// The `\n` of each line.
    pub(super) ends: &'t [u32],
    /// Each space behind a `:` or `#`, and each of these behind a space: the `: ` of keys, the ` #` of comments, and a
    /// little more.
    pub(super) marks: &'t [u32],
}

/// What goes over from one block to the next.
#[derive(Debug, Clone, Copy)]
struct Carry {
    /// The block starts in the spaces at the start of a line (or at that).
    indent: bool,
    /// The byte before the block is a `:` or `#`.
    sign: bool,
    /// It is a space.
    space: bool,
}

impl Tape {
    /// Reads the marks of `bytes` from `start` on. `odd` gets the offset of each byte that is a control character
    /// other than `\n`, or no ASCII; when it says `None`, so does this. And so it does beyond the first 4 GiB, and of a text
    /// that would take more memory here than it has itself.
    #[inline(never)]
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        start: usize,
        mut odd: impl FnMut(usize) -> Option<()>,
    ) -> Option<Marks<'_>> {
        // So that no offset within the last block is too large.
        let end = u32::try_from(bytes.len() + BLOCK).ok()? - BLOCK as u32;
        let Self { contents, ends, marks } = self;
        // A text of few bytes per line would make lists that are larger than itself.
        let most = (bytes[start..].len() / size_of::<u32>()).max(ALWAYS_ROOM);
        [contents, ends, marks].into_iter().for_each(|list| list.clear(most));
        let mut carry = Carry { indent: true, sign: false, space: false };
        let (blocks, rest) = bytes[start..].as_chunks::<BLOCK>();
        let mut at = start;
        for block in blocks {
            self.block(block, u64::MAX, at, &mut carry, &mut odd)?;
            at += BLOCK;
        }
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        self.block(&last, (1 << rest.len()) - 1, at, &mut carry, &mut odd)?;
        let Self { contents, ends, marks } = self;
        if [&contents, &ends, &marks].into_iter().any(|list| list.is_too_long) {
            return None;
        }
        Some(Marks { contents: contents.close(end), ends: ends.close(end), marks: marks.close(end) })
    }

    /// Reads the marks of the block at `at` as far as `valid` says.
    #[inline(always)]
    fn block(
        &mut self,
        block: &[u8; BLOCK],
        valid: u64,
        at: usize,
        carry: &mut Carry,
        odd: &mut impl FnMut(usize) -> Option<()>,
    ) -> Option<()> {
        let (mut breaks, mut signs, mut spaces, mut others) = (0, 0, 0, i8x16::ZERO);
        let (lanes, _) = block.as_chunks::<16>();
        for (i, lane) in lanes.iter().enumerate() {
            let bytes: i8x16 = wide::bytemuck::cast(*lane);
            let is = |byte: u8| bytes.simd_eq(i8x16::splat(byte.cast_signed()));
            let word = |bytes: i8x16| u64::from(bytes.to_bitmask()) << (16 * i);
            let is_break = is(b'\n');
            breaks |= word(is_break);
            signs |= word(is(b':') | is(b'#'));
            spaces |= word(is(b' '));
            // One more than the byte, as a signed number: below `!` for control characters, DEL and what is no ASCII.
            let is_odd = (bytes + i8x16::splat(1)).simd_lt(i8x16::splat(b'!'.cast_signed()));
            others |= is_odd & !is_break;
        }
        if others.to_bitmask() != 0 {
            // Behind a text that ends here stand spaces.
            let is_odd = |byte: &u8| !matches!(byte, b'\n' | b' '..=b'~');
            block.iter().enumerate().filter(|(_, byte)| is_odd(byte)).try_for_each(|(i, _)| odd(at + i))?;
        }
        // A bit added at the start of a line runs through its spaces to what is behind them.
        let starts = breaks << 1 | u64::from(carry.indent);
        let (sum, runs_on) = starts.overflowing_add(spaces);
        let behind_sign = spaces & (signs << 1 | u64::from(carry.sign));
        let behind_space = signs & (spaces << 1 | u64::from(carry.space));
        let last = |bits: u64| bits >> (BLOCK - 1) != 0;
        *carry = Carry { indent: runs_on || last(breaks), sign: last(signs), space: last(spaces) };
        // The text is not longer than the numbers reach.
        let at = at as u32;
        self.contents.add::<3>(at, sum & !spaces & valid);
        self.ends.add::<3>(at, breaks & valid);
        self.marks.add::<2>(at, (behind_sign | behind_space) & valid);
        Some(())
    }
}

/// A list of offsets that keeps its memory.
#[derive(Debug, Default)]
struct Offsets {
    /// The list, and room behind it.
    list: Vec<u32>,
    length: usize,
    /// How many there may be.
    most: usize,
    /// There were more, and the list is void.
    is_too_long: bool,
}

impl Offsets {
    /// Starts over, with room for at most `most` offsets.
    fn clear(&mut self, most: usize) {
        (self.length, self.most, self.is_too_long) = (0, most, false);
        if self.list.len() > MOST_KEPT {
            self.list = Vec::new();
        }
    }

    /// Adds the offsets of the bits of a block that is `at` that offset. Most blocks have `USUAL` of them or fewer, and
    /// so many are written whether they are there or not: a jump that cannot be foreseen takes longer.
    #[inline(always)]
    fn add<const USUAL: usize>(&mut self, at: u32, bits: u64) {
        self.make_room();
        let mut length = self.length;
        let room: &mut [u32; BLOCK] = self.list[length..].first_chunk_mut().expect("there is room");
        let mut rest = bits;
        for place in &mut room[..USUAL] {
            *place = at + (rest | 1 << (BLOCK - 1)).trailing_zeros();
            length += usize::from(rest != 0);
            rest &= rest.wrapping_sub(1);
        }
        let mut count = USUAL;
        while rest != 0 {
            room[count % BLOCK] = at + rest.trailing_zeros();
            length += 1;
            rest &= rest - 1;
            count += 1;
        }
        self.length = length;
    }

    /// The list with the end of the text behind it.
    fn close(&mut self, end: u32) -> &[u32] {
        self.make_room();
        let length = self.length + 2;
        self.list[self.length..length].fill(end);
        &self.list[..length]
    }

    /// Makes room for the offsets of a block.
    #[inline(always)]
    fn make_room(&mut self) {
        if self.list.len() - self.length < BLOCK {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        if self.length >= self.most {
            (self.length, self.is_too_long) = (0, true);
            return;
        }
        self.list.resize((2 * self.length + 8 * BLOCK).min(self.most + BLOCK), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks as a plain loop finds them.
    fn plainly(bytes: &[u8], start: usize) -> [Vec<u32>; 3] {
        let [mut contents, mut ends, mut marks] = [const { Vec::new() }; 3];
        let mut indent = true;
        for at in start..bytes.len() {
            let before = at.checked_sub(1).filter(|&before| before >= start).map(|before| bytes[before]);
            let offset = at as u32;
            if indent && bytes[at] != b' ' {
                contents.push(offset);
            }
            indent = bytes[at] == b'\n' || (indent && bytes[at] == b' ');
            match bytes[at] {
                b'\n' => ends.push(offset),
                b' ' if matches!(before, Some(b':' | b'#')) => marks.push(offset),
                b':' | b'#' if before == Some(b' ') => marks.push(offset),
                _ => {}
            }
        }
        [contents, ends, marks].map(|mut list| {
            list.extend([bytes.len() as u32; 2]);
            list
        })
    }

    #[test]
    fn finds_what_a_plain_loop_finds() {
        let mut text = b"a: b # c\n\n  \n\t\r\n  #d: # e:\n:\n: x\x7f\x1f\x00 !~".to_vec();
        text.extend(" é漢\u{85}\u{2028}".bytes());
        text.extend(std::iter::repeat_n(b' ', 150));
        text.extend(b"#\n");
        text.extend(std::iter::repeat_n(b'\n', 70));
        text.extend(b"x: ".repeat(40));
        text.extend(b"y:\n       #\n".repeat(20));
        let mut tape = Tape::default();
        for end in [0, 1, 20, 63, 64, 65, 127, 128, 129, 200, text.len()] {
            for start in 0..=end.min(70) {
                let bytes = &text[..end];
                let mut odd = Vec::new();
                let marks = tape.read(bytes, start, |at| {
                    odd.push(at);
                    Some(())
                });
                let Marks { contents, ends, marks } = marks.expect("nothing is refused");
                assert_eq!([contents, ends, marks], plainly(bytes, start).each_ref().map(Vec::as_slice));
                let is_odd = |at: &usize| !matches!(bytes[*at], b'\n' | b' '..=b'~');
                assert!((start..end).filter(is_odd).eq(odd), "{start}..{end}");
            }
        }
        assert!(tape.read(&text, 0, |at| (text[at] != b'\t').then_some(())).is_none());
    }
}
