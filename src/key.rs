//! Keys: short, stable hashes that say "the same" about a decision, and nothing else about it.

/// A hash over UTF-16 code units, as JavaScript has them: each goes in as two bytes, the low one first.
///
/// FNV-1a with 128 bits: what needs to be told apart is at most all decisions of all visitors of
/// one workspace, nobody gains by a collision of his own making, and it costs 15 lines where a
/// cryptographic hash costs 2 KB. In two halves, because `u128` brings a multiplication along that
/// is larger than all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    high: u64,
    low: u64,
}

/// FNV's prime for 128 bits is 2^88 and this.
const PRIME: u64 = 0x13b;

impl Hash {
    /// What is the hash of nothing.
    pub const NONE: Hash = Hash { high: 0, low: 0 };

    /// A hash over nothing yet.
    pub const fn new() -> Hash {
        Hash { high: 0x6c62_272e_07bb_0142, low: 0x62b8_2175_6295_c58d }
    }

    /// One more UTF-16 code unit goes in.
    #[inline(never)]
    pub fn unit(&mut self, unit: u32) {
        self.byte(unit & 0xff);
        self.byte(unit >> 8 & 0xff);
    }

    /// One more number goes in.
    pub fn number(&mut self, number: u32) {
        self.unit(number);
        self.unit(number >> 16);
    }

    /// Another hash goes in.
    #[inline(never)]
    pub fn hash(&mut self, other: &Hash) {
        for index in 0..4 {
            self.number(other.word(index));
        }
    }

    /// 32 of its bits; 0 is the most significant word, 3 the least.
    pub fn word(&self, index: u32) -> u32 {
        let half = if index < 2 { self.high } else { self.low };
        (half >> (32 * (!index & 1))) as u32
    }

    #[inline(never)]
    fn byte(&mut self, byte: u32) {
        let low = self.low ^ u64::from(byte);
        let carry =
            (low >> 32).wrapping_mul(PRIME).wrapping_add((low & 0xffff_ffff).wrapping_mul(PRIME) >> 32);
        self.high = self.high.wrapping_mul(PRIME).wrapping_add(low << 24).wrapping_add(carry >> 32);
        self.low = low.wrapping_mul(PRIME);
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
        let mut hash = Hash::new();
        bytes.iter().for_each(|byte| hash.byte(u32::from(*byte)));
        hash
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
        let (mut unit, mut number) = (Hash::new(), Hash::new());
        unit.unit(0x6f66);
        number.number(0x626f_6f66);
        assert_eq!((unit, number), (of(b"fo"), of(b"foob")));
    }
}
