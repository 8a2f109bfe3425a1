//! `View`: a read-only look at a loose value: JavaScript's in production, JSON in tests.

use crate::value::join;

/// What an argument of [`View::invoke`] may be.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// Nothing.
    None,
    /// One string.
    Text(&'a str),
    /// One object with one field.
    Field(&'a str, &'a str),
}

/// The kinds of loose values we tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `undefined`, a symbol, or nothing at all.
    Missing,
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, `NaN` included.
    Number,
    /// A string.
    Text,
    /// A BigInt.
    BigInt,
    /// An array.
    List,
    /// Any other object.
    Object,
    /// A function.
    Function,
}

/// A read-only look at a value of which nothing is known. No method panics or throws, and each
/// answers on a missing value too: what cannot be read is missing, and so is all that is in it.
pub trait View: Sized {
    /// What this is.
    fn kind(&self) -> Kind;

    /// The field `name`, inherited ones included.
    fn get(&self, name: &str) -> Self;

    /// The own field `name`: what a polluted prototype lends does not count.
    fn own(&self, name: &str) -> Self;

    /// What the method `name` returns; missing when there is no such method, or it throws.
    fn invoke(&self, name: &str, argument: Argument) -> Self;

    /// The text of a string, number, BigInt or boolean, spelled as JavaScript spells it; empty for
    /// anything else.
    fn text(&self) -> String;

    /// The number; `NaN` for anything else.
    fn number(&self) -> f64;

    /// A moment in milliseconds since the epoch, from a number, a date or an ISO 8601 text; `NaN`
    /// for anything else.
    fn moment(&self) -> f64;

    /// The elements of a list; nothing for anything else.
    fn items(&self) -> Vec<Self>;

    /// The names of an object's own enumerable fields; nothing for anything else.
    fn keys(&self) -> Vec<String>;

    /// Whether it is `true` itself.
    fn is_true(&self) -> bool {
        self.kind() == Kind::Bool && self.text() == "true"
    }

    /// Whether it is an object that is no list.
    fn is_object(&self) -> bool {
        self.kind() == Kind::Object
    }

    /// The string; empty for anything else.
    fn string(&self) -> String {
        if self.kind() == Kind::Text { self.text() } else { String::new() }
    }

    /// How an error message spells this value: short, and without what it holds.
    fn spelled(&self) -> String {
        let text = self.text();
        let plain = match self.kind() {
            Kind::Text => {
                let short: String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…\"" } else { "\"" };
                return join(&["\"", &short, dots]);
            }
            Kind::BigInt => return join(&[&text, "n"]),
            Kind::Bool | Kind::Number => return text,
            Kind::Null => "null",
            Kind::List => "a list",
            Kind::Object => "an object",
            Kind::Function => "a function",
            Kind::Missing => "missing",
        };
        plain.to_owned()
    }
}

/// The sentence about a faulty value: who was called, what part of it, what came, what was wanted.
#[inline(never)]
pub fn fault(who: &str, part: &str, came: &str, wanted: &str) -> String {
    join(&[who, " `", part, "` is ", came, ", must be ", wanted])
}
