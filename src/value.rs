//! `Value`: what goes out to the page, be it an event's properties or the report.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A value on its way out. One type for all of it, so that one serializer reaches the visitor.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as JavaScript counts.
    Number(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Fields),
}

/// The fields of an object, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Fields {
    /// Sets a field: in its place when it is there already, else at the end.
    #[inline(never)]
    pub fn put(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Sets a field to a text, unless that is empty: empty values are left out.
    #[inline(never)]
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, Value::Text(text.to_owned()));
        }
    }

    /// Sets a field to a text, or to `null` when that is empty.
    #[inline(never)]
    pub fn text_or_null(&mut self, name: &str, text: &str) {
        self.put(name, if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) });
    }

    /// Sets a field to a number.
    #[inline(never)]
    pub fn number(&mut self, name: &str, number: f64) {
        self.put(name, Value::Number(number));
    }

    /// Sets a field to a boolean.
    #[inline(never)]
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.put(name, Value::Bool(flag));
    }

    /// The text of a field; empty when it has none.
    pub fn text_of(&self, name: &str) -> &str {
        match self.0.iter().find(|(known, _)| known == name) {
            Some((_, Value::Text(text))) => text,
            _ => "",
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(None)?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in &fields.0 {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Spells a whole number in decimal digits. (`format!` would bring formatting machinery of
/// several KB to every visitor.)
#[inline(never)]
pub fn decimal(number: u64) -> String {
    let mut digits = String::new();
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        digits.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
    digits
}

/// The pieces, one after the other.
#[inline(never)]
pub fn join(pieces: &[&str]) -> String {
    pieces.concat()
}
