//! Days of the calendar, in UTC: waivers and baselines know no finer time, and none but that of the run.

use jiff::civil::Date;
use toml::value::Datetime;

/// The day on which something began: the date of an RFC 3339 time in UTC.
pub(crate) fn day(started: &str) -> Option<Date> {
    started.get(..10)?.parse().ok()
}

/// A date of a TOML file; `None` where it has a time as well, or is no day of the calendar.
pub(crate) fn of_toml(written: &Datetime) -> Option<Date> {
    let date = written.date.filter(|_| written.time.is_none() && written.offset.is_none())?;
    let (year, month, day) = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    Date::new(year.ok()?, month.ok()?, day.ok()?).ok()
}

/// Days from one to another; negative where the other is over.
pub(crate) fn days_until(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}
