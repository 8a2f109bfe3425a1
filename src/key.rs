//! Keys: short, stable hashes that say "the same" about a decision, and nothing else about it.

/// A hash over UTF-16 code units, as JavaScript has them: each goes in as two bytes, the low one first.
///
/// FNV-1a with 128 bits: what needs to be told apart is at most all decisions of all visitors of
/// one workspace, nobody gains by a collision of his own making, and it costs 15 lines where a
/// cryptographic hash costs 2 KB. Four words, least significant first, because `u128` brings a
/// multiplication of its own along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash([u32; 4]);

impl Hash {
    /// The hash of nothing that can be written.
    pub const NONE: Hash = Hash([0; 4]);

    /// A hash over nothing yet.
    pub const fn new() -> Hash {
        Hash([0x6295_c58d, 0x62b8_2175, 0x07bb_0142, 0x6c62_272e])
    }

    /// The hash with one more UTF-16 code unit.
    pub fn unit(self, unit: u16) -> Hash {
        self.byte(unit.into()).byte((unit >> 8).into())
    }

    /// The hash with one more number.
    pub fn number(self, number: u32) -> Hash {
        self.unit(number as u16).unit((number >> 16) as u16)
    }

    /// The hash with another hash.
    pub fn hash(self, other: Hash) -> Hash {
        other.0.into_iter().fold(self, Hash::number)
    }

    /// 32 of its bits; 0 is the most significant word.
    pub fn word(self, index: u32) -> u32 {
        let [a, b, c, d] = self.0;
        match index {
            0 => d,
            1 => c,
            2 => b,
            _ => a,
        }
    }

    /// The lower half of `byte` goes in. The prime is 2^88 + 0x13b.
    #[inline(never)]
    fn byte(self, byte: u32) -> Hash {
        let [a, b, c, d] = self.0;
        let a = a ^ (byte & 0xff);
        let mut carry = 0;
        let shifted = [(a, 0), (b, 0), (c, a << 24), (d, a >> 8 | b << 24)];
        Hash(shifted.map(|(word, shifted)| {
            carry += u64::from(word) * 0x13b + u64::from(shifted);
            let word = carry as u32;
            carry >>= 32;
            word
        }))
    }
}

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Hash;

    fn of(bytes: &[u8]) -> Hash {
        bytes.iter().fold(Hash::new(), |hash, byte| hash.byte(u32::from(*byte)))
    }

    fn hex(hash: Hash) -> String {
        (0..4).map(|index| format!("{:08x}", hash.word(index))).collect()
    }

    #[test]
    fn is_fnv_1a_as_published() {
        assert_eq!(hex(of(b"")), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hex(of(b"a")), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(hex(of(b"foobar")), "343e1662793c64bf6f0d3597ba446f18");
    }

    #[test]
    fn a_unit_is_two_bytes_and_a_number_two_units() {
        assert_eq!(Hash::new().unit(0x6f66), of(b"fo"));
        assert_eq!(Hash::new().number(0x626f_6f66), of(b"foob"));
    }
}
