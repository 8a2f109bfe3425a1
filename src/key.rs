//! Keys: short, stable hashes that say "the same" about a decision, and nothing else about it.

/// A hash over fields. Each field goes in behind its length, so that ("a", "bc") and ("ab", "c")
/// never meet.
///
/// FNV-1a with 128 bits: what needs to be told apart is at most all decisions of all visitors of
/// one workspace, nobody gains by a collision of his own making, and it costs 15 lines where a
/// cryptographic hash costs 2 KB.
#[derive(Clone, Copy, Debug)]
pub struct Hash(u128);

impl Hash {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    /// A hash over nothing yet.
    pub fn new() -> Hash {
        Hash(Hash::OFFSET)
    }

    /// The hash with one more field.
    pub fn field(self, text: &str) -> Hash {
        self.bytes(&(text.len() as u32).to_le_bytes()).bytes(text.as_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Hash {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Hash::PRIME);
        }
        self
    }

    /// 32 hexadecimal digits.
    pub fn hex(self) -> String {
        (0..32)
            .rev()
            .map(|digit| char::from_digit((self.0 >> (4 * digit)) as u32 & 15, 16).unwrap_or('0'))
            .collect()
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

    #[test]
    fn is_fnv_1a_as_published() {
        assert_eq!(Hash::new().hex(), "6c62272e07bb014262b821756295c58d");
        assert_eq!(Hash::new().bytes(b"a").hex(), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(Hash::new().bytes(b"foobar").hex(), "343e1662793c64bf6f0d3597ba446f18");
    }
}
