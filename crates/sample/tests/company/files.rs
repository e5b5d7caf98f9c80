//! Promises about the two files: the same bytes for the same seed, readable back, joinable, in disagreement.

use std::collections::{HashMap, HashSet};

use identitymesh_sample::HrRow;
use serde_json::Value;

use crate::{company, hr_csv, phone_book};

#[test]
fn same_seed_same_bytes() {
    let (first, second, other) = (company(700, 5), company(700, 5), company(700, 6));
    assert_eq!(hr_csv(&first), hr_csv(&second));
    assert_eq!(phone_book(&first), phone_book(&second));
    assert_ne!(hr_csv(&first), hr_csv(&other));
    let (tomorrow, story) = first.after_a_day(8);
    let (tomorrow_again, story_again) = second.after_a_day(8);
    assert_eq!(story, story_again);
    assert_eq!(hr_csv(&tomorrow), hr_csv(&tomorrow_again));
    assert_eq!(phone_book(&tomorrow), phone_book(&tomorrow_again));
    assert_ne!(first.after_a_day(9).1, story);
}

#[test]
fn hr_file_reads_back_to_the_same_rows() {
    let company = company(3_000, 1);
    let bytes = hr_csv(&company);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header: Vec<&str> = reader.headers().expect("has a header").iter().collect();
    assert_eq!(
        header.join(","),
        "employee_id,given_name,surname,display_name,department,title,location,manager_id,\
         employee_type,status,start_date,end_date,mail,phone,cost_centre"
    );
    let read: Vec<HrRow<'static>> = reader.deserialize().map(|row| row.expect("reads back")).collect();
    let written: Vec<HrRow<'_>> = company.hr_rows().collect();
    assert_eq!(read, written);
}

#[test]
fn everybody_in_the_phone_book_joins_by_employee_id_or_else_by_mail() {
    let company = company(5_000, 1);
    let rows: Vec<_> = company.hr_rows().collect();
    let ids: HashSet<&str> = rows.iter().map(|row| row.employee_id.as_str()).collect();
    let mails: HashSet<String> = rows.iter().map(|row| row.mail.trim().to_lowercase()).collect();
    let mut by_mail = 0;
    let records = lines(&phone_book(&company));
    let mut keys = HashSet::new();
    for record in &records {
        assert!(keys.insert(text(record, "id").to_owned()), "{record}");
        if record["type"] != "person" {
            continue;
        }
        match record.get("employee_id").and_then(Value::as_str) {
            Some(id) => assert!(ids.contains(id)),
            None => {
                by_mail += 1;
                assert!(mails.contains(text(record, "mail")), "{record}");
            }
        }
    }
    assert!(by_mail > 100, "{by_mail}");
}

#[test]
fn the_two_files_disagree_here_and_there() {
    let company = company(5_000, 1);
    let rows: Vec<_> = company.hr_rows().collect();
    let by_id: HashMap<&str, &HrRow<'_>> = rows.iter().map(|row| (row.employee_id.as_str(), row)).collect();
    let records = lines(&phone_book(&company));
    let pairs: Vec<(&HrRow<'_>, &Value)> = records
        .iter()
        .filter(|record| record["type"] == "person")
        .filter_map(|record| Some((*by_id.get(record.get("employee_id")?.as_str()?)?, record)))
        .collect();
    let count = |test: &dyn Fn(&HrRow<'_>, &Value) -> bool| pairs.iter().filter(|(h, b)| test(h, b)).count();
    let some = 50..2_000;
    assert!(some.contains(&count(&|hr, book| hr.title != text(book, "title"))));
    assert!(some.contains(&count(&|hr, book| hr.surname != text(book, "surname"))));
    assert!(some.contains(&count(&|hr, _| hr.mail.is_empty())));
    assert!(some.contains(&count(&|hr, _| hr.mail != hr.mail.trim())));
    assert!(some.contains(&count(&|hr, _| hr.mail.contains(char::is_uppercase))));
    assert!(count(&|hr, book| hr.phone != text(book, "phone")) > 2_000);
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let company = company(500, 1);
    for error in [company.write_hr_csv(Full), company.write_phone_book(Full)] {
        assert_eq!(error.expect_err("nothing fits").kind(), std::io::ErrorKind::StorageFull);
    }
}

pub(crate) fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

pub(crate) fn text<'a>(record: &'a Value, member: &str) -> &'a str {
    record[member].as_str().unwrap_or_else(|| panic!("{member} missing in {record}"))
}
