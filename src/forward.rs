//! The way back: what an analytics tool was told, spelled as commands for Optimizely Web.

use crate::decision::cut;
use crate::json::{Fields, decimal, join, quoted, whole};
use crate::options::{CATEGORIZED_PAGES, NAMED_PAGES, Options, TRACK};
use crate::view::{Told, View, kind};

/// The commands for an event `{tool, type, event, category, name, properties}`, as a JSON list;
/// nothing when there are none.
pub fn commands(told: &impl View, options: &Options) -> String {
    let told = told.pick("tool type event category name properties.*", "");
    let text = |place: usize| told.at(place).string();
    let (category, name) = (text(3), text(4));
    // As each tool's own Optimizely destination spells it, so that metrics keep their events.
    let segment = text(0) == "segment";
    let page = if segment { " Page" } else { " page" };
    let (category_too, space) = if segment && !category.is_empty() { (category, " ") } else { ("", "") };
    let mut commands = String::new();
    for (flag, kind, what, event) in [
        (TRACK, "track", text(2), text(2).to_owned()),
        (CATEGORIZED_PAGES, "page", category, join(&["Viewed ", category, page])),
        (NAMED_PAGES, "page", name, join(&["Viewed ", category_too, space, name, page])),
    ] {
        if text(1) == kind && !what.is_empty() && options.forwards(flag) {
            commands += if commands.is_empty() { "[" } else { "," };
            commands += &command(&event, told.at(5), options);
        }
    }
    if !commands.is_empty() {
        commands += "]";
    }
    commands
}

#[inline(never)]
fn command(event: &str, properties: Told, options: &Options) -> String {
    let counts = options.only_revenue_for.as_ref().is_none_or(|names| names.iter().any(|name| name == event));
    let mut tags = Fields::default();
    for (name, value) in properties.entries() {
        let revenue = name == "revenue";
        let tag = match value.kind {
            // These are refused unless they are numbers.
            _ if revenue || name == "value" || name == "quantity" => {
                number(value, revenue && options.revenue_in_cents())
            }
            kind::TEXT | kind::BIG_INT => quoted(cut(value.text)),
            kind::BOOL => value.text.to_owned(),
            // `NaN` and `Infinity` are spelled with letters only.
            kind::NUMBER if has(value.text, b'0') => value.text.to_owned(),
            _ => continue,
        };
        if !(tag.is_empty() || revenue && !(counts && has(&tag, b'1'))) {
            tags.put(cut(name), &tag);
        }
    }
    let mut command = Fields::default();
    command.text("type", "event");
    // Names of theirs may have no colon; the destinations of Segment and RudderStack put this.
    let named: String = event.chars().map(|letter| if letter == ':' { '_' } else { letter }).collect();
    command.text("eventName", cut(&named));
    command.put("tags", &tags.json());
    command.json()
}

/// Whether there is a digit that is at least this one.
fn has(text: &str, least: u8) -> bool {
    text.bytes().any(|byte| (least..=b'9').contains(&byte))
}

/// A number, or a text like `$1,234.50`, `1.234,50 €` or `-12`, as JSON; with `cents` a hundred
/// times as much, in whole ones. Empty for anything else. It is read digit by digit: floating point
/// would lose cents, and bring machinery of several KB.
fn number(told: Told, cents: bool) -> String {
    let none = String::new();
    let (mut digits, mut minus) = (String::new(), "");
    // How long is what is no digit, and whether it cannot stand within a number.
    let (mut gap, mut strange) = (0, false);
    // The last point or comma, how many digits stand before it, how often it is there, and whether
    // the other is.
    let (mut sign, mut units, mut times, mut both) = (0, 0, 0, false);
    for byte in told.text.bytes() {
        gap += 1;
        match byte {
            b'0'..=b'9' => {
                if strange && !digits.is_empty() {
                    return none;
                }
                (gap, strange) = (0, false);
                digits.push(char::from(byte));
            }
            // In `Rs.500` it is none.
            b'.' | b',' if !strange => {
                both |= sign != 0 && sign != byte;
                times = if sign == byte { times + 1 } else { 1 };
                (sign, units) = (byte, digits.len());
            }
            b'-' if digits.is_empty() => minus = "-",
            // So may what divides thousands, and before a number a currency.
            b'\'' | b' ' | 0x80.. => {}
            _ => strange |= !digits.is_empty() || byte.is_ascii_alphabetic(),
        }
        if gap > 8 {
            return none;
        }
    }
    if digits.is_empty() || digits.len() > 18 {
        return none;
    }
    // It divides thousands where it is there twice, and where it is a comma before three digits.
    let thousands = sign == b',' && !both && digits.len() - units == 3;
    if times != 1 || thousands {
        units = digits.len();
    }
    digits += if cents { "000" } else { "" };
    let (whole_ones, rest) = digits.split_at(units + if cents { 2 } else { 0 });
    let up = if cents && rest >= "5" { 1.0 } else { 0.0 };
    let number = decimal(whole(whole_ones).unwrap_or_default() + up);
    let fraction = if cents { "" } else { rest };
    join(&[minus, &number, if fraction.is_empty() { "" } else { "." }, fraction])
}
