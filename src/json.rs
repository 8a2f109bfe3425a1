//! `Fields`: what goes out to the page, be it an event's properties or a part of the report, as
//! the JSON text of an object.

/// The fields of an object, in order, each with the JSON text of its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// Sets a field to a JSON text: in its place when it is there already, else at the end.
    #[inline(never)]
    pub fn put(&mut self, name: &str, json: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = json.to_owned(),
            None => self.0.push((name.to_owned(), json.to_owned())),
        }
    }

    /// Sets a field to a text, unless that is empty: empty values are left out.
    #[inline(never)]
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(name, &quoted(text));
        }
    }

    /// Sets a field to a text, or to `null` when that is empty.
    pub fn text_or_null(&mut self, name: &str, text: &str) {
        self.put(name, "null");
        self.text(name, text);
    }

    /// Sets a field to a whole number.
    pub fn number(&mut self, name: &str, number: f64) {
        self.put(name, &decimal(number));
    }

    /// Sets a field to a boolean.
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.put(name, if flag { "true" } else { "false" });
    }

    /// The JSON text of the object.
    #[inline(never)]
    pub fn json(&self) -> String {
        let mut json = String::from("{");
        for (name, value) in &self.0 {
            if json.len() > 1 {
                json.push(',');
            }
            json += &quoted(name);
            json.push(':');
            json += value;
        }
        json.push('}');
        json
    }
}

/// The JSON text of a string.
#[inline(never)]
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                json.push('\\');
                json.push(letter);
            }
            '\0'..=' ' if letter != ' ' => {
                json += "\\u00";
                json.push(if letter < '\x10' { '0' } else { '1' });
                json.push(char::from_digit(letter as u32 & 15, 16).unwrap_or('0'));
            }
            _ => json.push(letter),
        }
    }
    json.push('"');
    json
}

/// The JSON text of a list.
pub fn list(items: impl Iterator<Item = String>) -> String {
    let mut json = String::from("[");
    for item in items {
        if json.len() > 1 {
            json.push(',');
        }
        json += &item;
    }
    json.push(']');
    json
}

/// Spells a whole number that is not negative in decimal digits. (`format!` would bring formatting
/// machinery of several KB to every visitor.)
#[inline(never)]
pub fn decimal(number: f64) -> String {
    let number = number as u64;
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

/// Reads a whole number in decimal digits; what stands behind a point is dropped. None for
/// anything else, as JavaScript spells numbers beyond 10^21.
#[inline(never)]
pub fn whole(text: &str) -> Option<f64> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| plain).map(|number| number as f64)
}

/// The pieces, one after the other.
#[inline(never)]
pub fn join(pieces: &[&str]) -> String {
    pieces.concat()
}
