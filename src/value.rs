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
    /// An object; its fields in this order.
    Object(Fields),
}

/// The fields of an object, in order.
pub type Fields = Vec<(String, Value)>;

impl Value {
    /// A string.
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// A string, or `null` where there is none.
    pub fn maybe(text: Option<&str>) -> Value {
        text.map_or(Value::Null, Value::text)
    }

    /// A list of what `items` yields.
    pub fn list(items: impl Iterator<Item = Value>) -> Value {
        Value::List(items.collect())
    }
}

/// Sets `name` in `fields`: in its place when it is there already, else at the end.
pub fn put(fields: &mut Fields, name: &str, value: Value) {
    match fields.iter_mut().find(|(known, _)| known == name) {
        Some(field) => field.1 = value,
        None => fields.push((name.to_owned(), value)),
    }
}

/// Adds `name` to `fields` as text, unless the text is empty: empty values are left out.
pub fn put_text(fields: &mut Fields, name: &str, text: &str) {
    if !text.is_empty() {
        put(fields, name, Value::text(text));
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
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Spells a whole number in decimal digits. (`format!` would bring formatting machinery of
/// several KB to every visitor.)
pub fn decimal(number: u64) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        digits.push(char::from(b'0' + (rest % 10) as u8));
        rest /= 10;
        if rest == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// Spells a moment in milliseconds since the epoch as ISO 8601 in UTC, with milliseconds, as
/// `Date.prototype.toISOString` does. Moments before 1970 and after 9999 are clamped.
pub fn iso(moment: f64) -> String {
    const LAST: f64 = 253_402_300_799_999.0;
    let moment = moment.clamp(0.0, LAST) as u64;
    let (days, rest) = (moment / 86_400_000, moment % 86_400_000);
    let (year, month, day) = civil(days);
    [
        pad(year, 4).as_str(),
        "-",
        &pad(month, 2),
        "-",
        &pad(day, 2),
        "T",
        &pad(rest / 3_600_000, 2),
        ":",
        &pad(rest / 60_000 % 60, 2),
        ":",
        &pad(rest / 1000 % 60, 2),
        ".",
        &pad(rest % 1000, 3),
        "Z",
    ]
    .concat()
}

fn pad(number: u64, width: usize) -> String {
    let digits = decimal(number);
    let zeros = "000".get(..width.saturating_sub(digits.len())).unwrap_or("");
    [zeros, &digits].concat()
}

/// Year, month and day of the day that many days after 1970-01-01, counted in eras of 400 years
/// that begin on a 1st of March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_year_zero = days + 719_468;
    let (era, day_of_era) = (since_year_zero / 146_097, since_year_zero % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    (year, month, day)
}
