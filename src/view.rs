//! `View`: a read-only look at a loose value: JavaScript's in production, JSON in tests.

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
    /// Anything else: `undefined`, a symbol.
    Other,
}

/// A read-only look at a value of which nothing is known. No method panics or throws: a getter
/// that throws counts as a missing field.
pub trait View: Sized {
    /// What this is.
    fn kind(&self) -> Kind;

    /// The field `name`, inherited ones included; none when it is `undefined` or cannot be read.
    fn get(&self, name: &str) -> Option<Self>;

    /// The own field `name`: what a polluted prototype lends does not count.
    fn own(&self, name: &str) -> Option<Self>;

    /// What the method `name` returns; none when there is no such method, it throws, or it
    /// returns `undefined`.
    fn invoke(&self, name: &str, argument: Argument) -> Option<Self>;

    /// The text of a string, number, BigInt or boolean, spelled as JavaScript spells it.
    fn text(&self) -> Option<String>;

    /// The number, when it is one.
    fn number(&self) -> Option<f64>;

    /// A moment in milliseconds since the epoch, from a number, a date or an ISO 8601 text.
    fn moment(&self) -> Option<f64>;

    /// The elements of a list; nothing for anything else.
    fn items(&self) -> Vec<Self>;

    /// The names of an object's own enumerable fields; nothing for anything else.
    fn keys(&self) -> Vec<String>;

    /// `true` or `false`, when it is one.
    fn flag(&self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.text().as_deref() == Some("true"))
    }

    /// The string, when it is one.
    fn string(&self) -> Option<String> {
        if self.kind() == Kind::Text { self.text() } else { None }
    }

    /// The text of the field `name` when that is a string that is not empty.
    fn string_at(&self, name: &str) -> Option<String> {
        self.get(name)?.string().filter(|text| !text.is_empty())
    }

    /// How an error message spells this value: short, and without what it holds.
    fn spelled(&self) -> String {
        match self.kind() {
            Kind::Text => {
                let text = self.text().unwrap_or_default();
                let short: String = text.chars().take(40).collect();
                let dots = if short.len() < text.len() { "…" } else { "" };
                ["\"", &short, dots, "\""].concat()
            }
            Kind::BigInt => [&self.text().unwrap_or_default(), "n"].concat(),
            Kind::Bool | Kind::Number => self.text().unwrap_or_default(),
            Kind::Null => "null".to_owned(),
            Kind::List => "a list".to_owned(),
            Kind::Object => "an object".to_owned(),
            Kind::Function => "a function".to_owned(),
            Kind::Other => "undefined".to_owned(),
        }
    }
}
