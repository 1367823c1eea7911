//! What the codes of a lossless WebP take in memory, before a decoder builds them (RFC 9649, 3.5 to 3.7).
//!
//! A picture may bring a group of five prefix codes for every 16 of its pixels, or, as its decoder reads the file, 65,536
//! groups for a single one: a few bytes each in the file, some 20 kB each in memory. So everything that stands before the
//! pixels is read here as the decoder reads it, and what it will keep is counted. Nothing is kept here.

/// Alphabets of the five codes of a group; a colour cache makes the first one longer.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];

/// The order in which the lengths of the code of code lengths stand.
const LENGTHS_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Bits that a decoder looks up at once; longer codes take nodes beside the table.
const TABLE_BITS: usize = 10;
/// A node of a code, two for every symbol that the table does not hold.
const NODES: u64 = 32;
/// A group by itself, its place in a list that grows included.
const GROUP: u64 = 1024;

/// Bytes that a decoder takes for the codes and the small pictures before the pixels; `None` where the data is damaged.
/// Counting ends beyond `most`. The size stands in the data, but for that of an alpha channel, where it is given.
pub(super) fn memory(data: &[u8], alpha_of: Option<(u32, u32)>, most: u64) -> Option<u64> {
    let mut reader = Reader {
        rest: data.iter(),
        held: 0,
        count: 0,
        taken: 0,
    };
    let (width, height) = match alpha_of {
        Some(size) => size,
        None => {
            if reader.bits(8)? != 0x2F {
                return None;
            }
            let size = (reader.bits(14)? + 1, reader.bits(14)? + 1);
            // Whether there is alpha, and the version.
            if reader.bits(4)? >> 1 != 0 {
                return None;
            }
            size
        }
    };
    reader.all(width, height, most)?;
    Some(reader.taken)
}

struct Reader<'a> {
    rest: std::slice::Iter<'a, u8>,
    held: u64,
    count: u32,
    /// What the decoder keeps.
    taken: u64,
}

/// A prefix code: how many symbols have which length, and the symbols in the order of their codes. One symbol alone has no
/// length.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
    bytes: u64,
}

impl Reader<'_> {
    /// The next bits, at most 24.
    fn bits(&mut self, count: u32) -> Option<u32> {
        while self.count < count {
            self.held |= u64::from(*self.rest.next()?) << self.count;
            self.count += 8;
        }
        let bits = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        u32::try_from(bits).ok()
    }

    fn all(&mut self, mut width: u32, height: u32, most: u64) -> Option<()> {
        let mut seen = [false; 4];
        while self.bits(1)? == 1 {
            let transform = self.bits(2)? as usize;
            // Each may come once.
            if std::mem::replace(seen.get_mut(transform)?, true) {
                return None;
            }
            match transform {
                // Predictors, and colours.
                0 | 1 => {
                    let bits = self.bits(3)? + 2;
                    self.small_picture(parts(width, bits), parts(height, bits))?;
                }
                // A palette; several pixels of a small one are one.
                3 => {
                    let colors = self.bits(8)? + 1;
                    self.small_picture(colors, 1)?;
                    width = match colors {
                        0..=2 => parts(width, 3),
                        3..=4 => parts(width, 2),
                        5..=16 => parts(width, 1),
                        _ => width,
                    };
                }
                _ => {}
            }
        }
        let cache = self.color_cache()?;
        let mut groups = 1;
        if self.bits(1)? == 1 {
            let bits = self.bits(3)? + 2;
            groups += self.small_picture(parts(width, bits), parts(height, bits))?;
        }
        for _ in 0..groups {
            self.group(cache)?;
            if self.taken > most {
                break;
            }
        }
        Some(())
    }

    fn color_cache(&mut self) -> Option<usize> {
        if self.bits(1)? == 0 {
            return Some(0);
        }
        let bits = self.bits(4)?;
        (1..=11).contains(&bits).then(|| 1 << bits)
    }

    fn group(&mut self, cache: usize) -> Option<[Code; 5]> {
        let [green, others @ ..] = ALPHABETS;
        let [red, blue, alpha, distance] = others;
        let group = [
            self.code(green + cache)?,
            self.code(red)?,
            self.code(blue)?,
            self.code(alpha)?,
            self.code(distance)?,
        ];
        self.taken += GROUP + group.iter().map(|code| code.bytes).sum::<u64>();
        Some(group)
    }

    /// Skips a picture that stands before the pixels. Returns the largest number in it, of red and green, which is what
    /// names a group; all others that come are copies.
    fn small_picture(&mut self, width: u32, height: u32) -> Option<u32> {
        let pixels = u64::from(width) * u64::from(height);
        let cache = self.color_cache()?;
        let [green, red, blue, alpha, distance] = self.group(cache)?;
        // Its pixels, and the number of a group for each.
        self.taken += pixels * 6;
        let (mut done, mut largest) = (0, 0);
        while done < pixels {
            let symbol = self.symbol(&green)?;
            done += match symbol {
                0..256 => {
                    let high = self.symbol(&red)?;
                    self.symbol(&blue)?;
                    self.symbol(&alpha)?;
                    largest = largest.max(high << 8 | symbol);
                    1
                }
                256..280 => {
                    let length = self.length(symbol - 256)?;
                    let distance = self.symbol(&distance)?;
                    self.length(distance)?;
                    length
                }
                _ => 1,
            };
        }
        if done > pixels {
            return None;
        }
        u32::try_from(largest).ok()
    }

    /// A length or a distance, by its symbol and the bits behind it.
    fn length(&mut self, symbol: usize) -> Option<u64> {
        if symbol < 4 {
            return Some(symbol as u64 + 1);
        }
        let extra = u32::try_from((symbol - 2) >> 1).ok()?;
        let base = (2 + (symbol as u64 & 1)) << extra;
        Some(base + u64::from(self.bits(extra)?) + 1)
    }

    fn symbol(&mut self, code: &Code) -> Option<usize> {
        if let [alone] = code.symbols.as_slice() {
            return Some(*alone);
        }
        let (mut value, mut first, mut before) = (0, 0, 0);
        for count in code.counts.iter().skip(1) {
            value = value << 1 | self.bits(1)? as usize;
            if value < first + count {
                return code.symbols.get(before + value - first).copied();
            }
            before += count;
            first = (first + count) << 1;
        }
        None
    }

    fn code(&mut self, alphabet: usize) -> Option<Code> {
        if self.bits(1)? == 1 {
            let two = self.bits(1)? == 1;
            let width = if self.bits(1)? == 1 { 8 } else { 1 };
            let mut symbols = vec![self.bits(width)? as usize];
            if two {
                symbols.push(self.bits(8)? as usize);
            }
            let known = symbols.iter().all(|symbol| *symbol < alphabet);
            let mut counts = [0; 16];
            counts[1] = symbols.len();
            return known.then_some(Code {
                counts,
                symbols,
                bytes: 128,
            });
        }
        let mut of_lengths = [0; 19];
        let given = 4 + self.bits(4)? as usize;
        for place in LENGTHS_ORDER.iter().take(given) {
            *of_lengths.get_mut(*place)? = self.bits(3)? as usize;
        }
        let of_lengths = Code::of(&of_lengths)?;
        let mut left = if self.bits(1)? == 1 {
            let width = 2 + 2 * self.bits(3)?;
            2 + self.bits(width)? as usize
        } else {
            alphabet
        };
        if left > alphabet {
            return None;
        }
        let mut lengths = Vec::with_capacity(alphabet);
        let mut last = 8;
        while lengths.len() < alphabet && left > 0 {
            left -= 1;
            let (length, times) = match self.symbol(&of_lengths)? {
                16 => (last, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => {
                    if length > 0 {
                        last = length;
                    }
                    (length, 1)
                }
            };
            lengths.extend((0..times).map(|_| length));
        }
        if lengths.len() > alphabet {
            return None;
        }
        Code::of(&lengths)
    }
}

impl Code {
    /// The code of these lengths, one for each symbol; `None` where they make none.
    fn of(lengths: &[usize]) -> Option<Self> {
        let mut counts = [0; 16];
        for length in lengths {
            *counts.get_mut(*length)? += 1;
        }
        counts[0] = 0;
        let used: usize = counts.iter().sum();
        let longest = counts.iter().rposition(|count| *count > 0)?;
        // Sorted by their lengths, in one walk.
        let mut next = [0; 16];
        let mut sum = 0;
        for (place, count) in next.iter_mut().zip(counts) {
            *place = sum;
            sum += count;
        }
        let mut symbols = vec![0; used];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = next.get_mut(*length)?;
            *symbols.get_mut(*place)? = symbol;
            *place += 1;
        }
        // Every code must stand for something, and none for two.
        let room = 1 << longest;
        let filled: usize = counts
            .iter()
            .zip(0..=longest)
            .map(|(count, length)| count << (longest - length))
            .sum();
        if used > 1 && filled != room {
            return None;
        }
        let beside: usize = counts.iter().skip(TABLE_BITS + 1).sum();
        Some(Self {
            counts,
            symbols,
            bytes: 128 + (4 << longest.min(TABLE_BITS)) + beside as u64 * NODES,
        })
    }
}

/// How many parts of so many pixels cover that length.
fn parts(length: u32, bits: u32) -> u32 {
    length.div_ceil(1 << bits)
}
