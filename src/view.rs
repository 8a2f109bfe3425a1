//! `View`: a look at a loose value of which nothing is known: JavaScript's in production, JSON in
//! tests. All that is wanted of it is picked out at once, as text: one crossing of the border, one
//! moment, and nothing of the page's is held afterwards.

use crate::json::{join, whole};

/// A value that can be looked at. No look throws: what cannot be read is missing, and so is all
/// that is in it.
pub trait View: Sized {
    /// Picks out what stands at `paths`, which are divided by spaces. `args`, divided by
    /// [`UNIT`], stand in for `$0` and `$1`.
    ///
    /// A path is walked step by step, divided by dots: `name` goes to a field, `$0` to the field
    /// named by an argument, `name!word` to what the method `name` returns for that word (or for
    /// nothing), `name@field` to what it returns for the object `{field: $0}`, `?0` to the element
    /// of a list whose `id` or `key` is the argument. At the end, `*` gives all entries of an object
    /// or a list, `*!json` gives them as JSON texts; in between, `*` and `**` give the texts found
    /// behind each element, joined by `,` or `, `. A name that ends in `%` is read as a moment in ms:
    /// a number, a date or ISO 8601. Fields that only `Object.prototype` has are missing.
    fn pick(&self, paths: &'static str, args: &str) -> Picked;

    /// What stands at one such path, to be looked at in turn.
    fn walk(&self, path: &'static str, args: &str) -> Self;
}

/// Divides what was picked.
pub const UNIT: char = '\x1f';
/// Divides the entries of one value.
const ENTRY: char = '\x1e';
/// Divides the name of an entry from its value.
const NAME: char = '\x1d';

/// What was picked, in the order of the paths. Each begins with the letter of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked(pub String);

/// One value that was picked: its kind and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// The letter of its kind.
    pub kind: char,
    /// The text of a string, number, BigInt or boolean, as JavaScript spells it; the entries, where
    /// those were asked for; else nothing.
    pub text: &'a str,
}

/// The kinds of values: `undefined` or unreadable, `null`, booleans, numbers, strings, BigInts,
/// lists, other objects, functions.
pub mod kind {
    #![allow(missing_docs)]
    pub const MISSING: char = 'm';
    pub const NULL: char = 'n';
    pub const BOOL: char = 'b';
    pub const NUMBER: char = 'd';
    pub const TEXT: char = 's';
    pub const BIG_INT: char = 'g';
    pub const LIST: char = 'l';
    pub const OBJECT: char = 'o';
    pub const FUNCTION: char = 'f';
}

impl Picked {
    /// What stood at the path with this place in the list.
    #[inline(never)]
    pub fn at(&self, place: usize) -> Told<'_> {
        Told::parse(self.0.split(UNIT).nth(place).unwrap_or_default())
    }
}

impl<'a> Told<'a> {
    fn parse(text: &'a str) -> Told<'a> {
        let mut letters = text.chars();
        let kind = letters.next().unwrap_or(kind::MISSING);
        Told { kind, text: letters.as_str() }
    }

    /// Whether it is of this kind.
    pub fn is(self, kind: char) -> bool {
        self.kind == kind
    }

    /// Whether it is `true` itself.
    pub fn is_true(self) -> bool {
        self.is(kind::BOOL) && self.text == "true"
    }

    /// The string; empty for anything else.
    pub fn string(self) -> &'a str {
        if self.is(kind::TEXT) { self.text } else { "" }
    }

    /// The moment, in ms since the epoch, of a path that ends in `%`; 0 when there is none.
    pub fn moment(self) -> f64 {
        if self.is(kind::NUMBER) { whole(self.text).unwrap_or_default() } else { 0.0 }
    }

    /// The entries of a path that ends in `*`: names (empty in a list) and values.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Told<'a>)> {
        let entries = if matches!(self.kind, kind::LIST | kind::OBJECT) { self.text } else { "" };
        entries.split(ENTRY).filter_map(|entry| {
            let (name, value) = entry.split_once(NAME)?;
            Some((name, Told::parse(value)))
        })
    }

    /// How an error message spells this value: short, and without what it holds.
    pub fn spelled(self) -> String {
        let plain = match self.kind {
            kind::TEXT => {
                let short = self.text.char_indices().nth(40).map_or(self.text.len(), |(end, _)| end);
                let dots = if short < self.text.len() { "…\"" } else { "\"" };
                return join(&["\"", self.text.get(..short).unwrap_or_default(), dots]);
            }
            kind::BIG_INT => return join(&[self.text, "n"]),
            kind::BOOL | kind::NUMBER => self.text,
            kind::NULL => "null",
            kind::LIST => "a list",
            kind::OBJECT => "an object",
            kind::FUNCTION => "a function",
            _ => "missing",
        };
        plain.to_owned()
    }
}

/// The sentence about a faulty value: who was called, what part of it, what came, what was wanted.
#[inline(never)]
pub fn fault(who: &str, part: &str, came: Told, wanted: &str) -> String {
    join(&[who, " `", part, "` is ", &came.spelled(), ", must be ", wanted])
}
