//! Dates and times: moments in UTC, read and written in the zone of the scope.
//!
//! A pattern that names no zone means the scope's. Moments compare with `<`, `==` and so on. Windows file times are
//! counts of 100 nanoseconds since 1601; 0 and the greatest integer mean *never* there, and absent here.

use identitymesh_model::Timestamp;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use super::table::{D, FunctionDoc, I, Prepared, Run, T, once, optional};
use super::{Call, patterns};
use crate::data::Data;
use crate::environment::Needs;
use crate::errors::Fault;

const FAMILY: &str = "Dates and times";
/// 100-nanosecond ticks from 1601 to 1970.
const FILE_TIME_EPOCH: i64 = 116_444_736_000_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

pub(super) const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc::new(FAMILY, "Now", "Now()", &[], D, Run::Body(now))
        .needing(Needs::NOW)
        .help("The present moment; allowed only where a plan records the result")
        .example("Now()", "2026-03-02T08:15:30Z"),
    FunctionDoc::new(FAMILY, "Today", "Today()", &[], D, Run::Body(today))
        .needing(Needs::TODAY)
        .help("The beginning of the present day in the zone of the mesh")
        .example("Today()", "2026-03-02T00:00:00Z"),
    FunctionDoc::new(FAMILY, "AddDays", "AddDays(date, days)", &[once("date", D), once("days", I)], D, Run::Body(add_days))
        .help("The moment that many times 24 hours later, or earlier when negative")
        .example("AddDays(Today(), -14)", "2026-02-16T00:00:00Z"),
    FunctionDoc::new(
        FAMILY,
        "ParseDate",
        "ParseDate(text[, pattern])",
        &[once("text", T), optional("pattern", T)],
        D,
        Run::DatePattern(parse_date),
    )
    .help("The moment that the text names, by a pattern such as 'dd.MM.yyyy HH:mm'; without one, ISO 8601 or LDAP generalized time; empty text is absent")
    .example("ParseDate('02.03.2026', 'dd.MM.yyyy')", "2026-03-02T00:00:00Z"),
    FunctionDoc::new(
        FAMILY,
        "FormatDate",
        "FormatDate(date, pattern)",
        &[once("date", D), once("pattern", T)],
        T,
        Run::DatePattern(format_date),
    )
    .help("The moment as text, by a pattern such as 'dd.MM.yyyy HH:mm' or strftime's '%d.%m.%Y'")
    .example("FormatDate(Today(), 'dd.MM.yyyy')", "\"02.03.2026\""),
    FunctionDoc::new(FAMILY, "ToFileTime", "ToFileTime(date)", &[once("date", D)], I, Run::Body(to_file_time))
        .help("The moment as a Windows file time, as in accountExpires")
        .example("ToFileTime(Today())", "134168832000000000"),
    FunctionDoc::new(FAMILY, "FromFileTime", "FromFileTime(number)", &[once("number", T)], D, Run::Body(from_file_time))
        .help("The moment of a Windows file time; absent when it means never")
        .example("FromFileTime(134168832000000000)", "2026-03-02T00:00:00Z"),
];

fn now<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    Ok(Data::Date(call.scope.now))
}

fn today<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let zone = &call.scope.zone;
    let day = zone.to_datetime(call.scope.now.to_jiff()).date();
    in_zone(day.at(0, 0, 0, 0), zone).map(Data::Date)
}

fn in_zone(moment: jiff::civil::DateTime, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let found = zone
        .to_timestamp(moment)
        .map_err(|_| Fault::value("the date lies outside the years -9999 to 9999"))?;
    Ok(Timestamp::from(found))
}

fn add_days<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let (date, days) = (call.date(0), call.integer(1));
    let moved = days.checked_mul(MICROS_PER_DAY).and_then(|micros| date.as_micros().checked_add(micros));
    let moved = moved.and_then(|micros| Timestamp::from_micros(micros).ok());
    moved.map(Data::Date).ok_or(Fault::Arithmetic { detail: "the date leaves the years -9999 to 9999" })
}

/// The strftime form of the pattern argument, from when the expression was compiled where it was written out.
fn pattern(call: &mut Call<'_, '_>) -> Result<String, Fault> {
    if let Some(Prepared::DatePattern(pattern)) = call.prepared {
        return Ok(pattern.clone());
    }
    let text = call.text(1);
    prepare(&text).map_err(|detail| Fault::value(format!("the pattern {text:?} cannot be used: {detail}")))
}

pub(crate) fn prepare(pattern: &str) -> Result<String, String> {
    patterns::translate(pattern)
}

fn format_date<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let pattern = pattern(call)?;
    let moment = call.date(0).to_jiff().to_zoned_datetime(call.scope.zone.clone());
    let text = strtime::format(&pattern, &moment);
    text.map(Data::text)
        .map_err(|error| Fault::value(format!("the date cannot be written as {pattern:?}: {error}")))
}

fn parse_date<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Data::Absent);
    }
    let zone = &call.scope.zone;
    if !call.has(1) {
        return standard(trimmed, zone).map(Data::Date);
    }
    let zone = zone.clone();
    let pattern = pattern(call)?;
    let parts = BrokenDownTime::parse(&pattern, trimmed)
        .map_err(|error| Fault::value(format!("{trimmed:?} is not a date by the pattern given: {error}")))?;
    moment(&parts, &zone)
        .map(Data::Date)
        .map_err(|detail| Fault::value(format!("{trimmed:?} is not a date by the pattern given: {detail}")))
}

fn moment(parts: &BrokenDownTime, zone: &TimeZone) -> Result<Timestamp, String> {
    if parts.offset().is_some() {
        return parts.to_timestamp().map(Timestamp::from).map_err(|error| error.to_string());
    }
    let date = parts.to_date().map_err(|error| error.to_string())?;
    let time = if parts.hour().is_some() {
        parts.to_time().map_err(|error| error.to_string())?
    } else {
        jiff::civil::Time::midnight()
    };
    zone.to_timestamp(date.to_datetime(time)).map(Timestamp::from).map_err(|error| error.to_string())
}

/// ISO 8601 with or without time and zone, and LDAP generalized time.
fn standard(text: &str, zone: &TimeZone) -> Result<Timestamp, Fault> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(moment) = text.parse::<jiff::civil::DateTime>() {
        return in_zone(moment, zone);
    }
    // 20260302080000.0Z and 20260302080000Z, as directories write whenCreated.
    let digits = text.strip_suffix('Z').map(|digits| digits.split('.').next().unwrap_or(digits));
    let generalized =
        digits.filter(|digits| digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = generalized.and_then(|digits| jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok());
    match parsed {
        Some(moment) => in_zone(moment, &TimeZone::UTC),
        None => Err(Fault::value(format!("{text:?} is not a date such as 2026-03-02; give its pattern"))),
    }
}

fn to_file_time<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let ticks = call.date(0).as_micros().checked_mul(10).and_then(|ticks| ticks.checked_add(FILE_TIME_EPOCH));
    match ticks {
        Some(ticks) if ticks >= 0 => Ok(Data::Integer(ticks)),
        _ => Err(Fault::Arithmetic { detail: "a file time begins in 1601" }),
    }
}

fn from_file_time<'a>(call: &mut Call<'_, 'a>) -> Result<Data<'a>, Fault> {
    let text = call.text(0);
    let ticks: i64 =
        text.trim().parse().map_err(|_| Fault::value(format!("{text:?} is not a Windows file time")))?;
    if ticks == 0 || ticks == i64::MAX {
        return Ok(Data::Absent);
    }
    if ticks < 0 {
        return Err(Fault::Arithmetic { detail: "a file time begins in 1601" });
    }
    Timestamp::from_micros((ticks - FILE_TIME_EPOCH).div_euclid(10))
        .map(Data::Date)
        .map_err(|_| Fault::Arithmetic { detail: "the date leaves the years -9999 to 9999" })
}
