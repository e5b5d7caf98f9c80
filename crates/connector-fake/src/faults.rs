//! Faults that a test asks for, and counting up to them.
//!
//! Counts run over the whole life of a system, across sessions, and start at one, so that a test can fail the first,
//! the second, the third … call until everything passes.

use identitymesh_connector::{Class, ConnectorError};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The `nth` call fails before it does anything. Calls are connect, test, schema, begin, page, export, read back.
    FailCall {
        /// Counted from one.
        nth: u64,
        /// With which class.
        class: Class,
    },
    /// Every item whose number divides by this is refused.
    RefuseEvery(u64),
    /// Every item whose number divides by this may work later.
    TransientEvery(u64),
    /// Every item whose number divides by this meets a conflict.
    ConflictEvery(u64),
    /// The item with this number is applied and its answer lost; the rest of its batch is never sent.
    LoseAnswerOf(u64),
    /// The connection ends within this page of a read, counted from one; the page is lost.
    ClosePage(u64),
    /// This page of a read comes twice.
    RepeatPage(u64),
    /// What is in this page of a read is lost, and the read goes on and says that it delivered it.
    LosePage(u64),
    /// This page of a read never comes: the call waits until it is cancelled.
    HangPage(u64),
    /// A read finds nothing at all and calls that complete.
    ZeroRows,
    /// A full read finds every second object of each type alone, in the order of [`crate::FakeSystem::objects`] the first,
    /// the third and so on, and proves that complete.
    HalfRows,
    /// A full read finds each object with the attributes of the next one of its type, all but the attribute that is the
    /// system's key ([`crate::FakeSystem::keyed_by`]). Objects without it stay as they are.
    ShuffledKeys,
    /// Every object whose position in the read divides by this comes twice.
    DuplicateEvery(u64),
}

/// Active faults and how far the counts are.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Fault>,
    calls: u64,
    items: u64,
}

/// What happens to one item of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemFault {
    None,
    Refuse,
    Transient,
    Conflict,
    LoseAnswer,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.active.push(fault);
    }

    /// Faults end and counts start again.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) const fn calls(&self) -> u64 {
        self.calls
    }

    pub(crate) const fn items(&self) -> u64 {
        self.items
    }

    /// Counts a call, which fails when a fault says so.
    pub(crate) fn call(&mut self, what: &str) -> Result<(), ConnectorError> {
        self.calls += 1;
        let failing = self.active.iter().find_map(|fault| match fault {
            Fault::FailCall { nth, class } if *nth == self.calls => Some(*class),
            _ => None,
        });
        match failing {
            Some(class) => Err(ConnectorError::new(
                "FAK-001",
                class,
                format!("{what} failed because call {} was told to fail", self.calls),
            )),
            None => Ok(()),
        }
    }

    /// Counts an item of an export and says what happens to it.
    pub(crate) fn item(&mut self) -> ItemFault {
        self.items += 1;
        let hits = |one_in: u64| one_in > 0 && self.items.is_multiple_of(one_in);
        self.active
            .iter()
            .find_map(|fault| match fault {
                Fault::RefuseEvery(one_in) if hits(*one_in) => Some(ItemFault::Refuse),
                Fault::TransientEvery(one_in) if hits(*one_in) => Some(ItemFault::Transient),
                Fault::ConflictEvery(one_in) if hits(*one_in) => Some(ItemFault::Conflict),
                Fault::LoseAnswerOf(item) if *item == self.items => Some(ItemFault::LoseAnswer),
                _ => None,
            })
            .unwrap_or(ItemFault::None)
    }

    /// What happens to reads that start now.
    pub(crate) fn for_read(&self) -> ReadFaults {
        let mut faults = ReadFaults::default();
        for fault in &self.active {
            match fault {
                Fault::ClosePage(page) => faults.close_page = Some(*page),
                Fault::RepeatPage(page) => faults.repeat_page = Some(*page),
                Fault::LosePage(page) => faults.lose_page = Some(*page),
                Fault::HangPage(page) => faults.hang_page = Some(*page),
                Fault::ZeroRows => faults.zero_rows = true,
                Fault::HalfRows => faults.half_rows = true,
                Fault::ShuffledKeys => faults.shuffled_keys = true,
                Fault::DuplicateEvery(every) => faults.duplicate_every = Some(*every),
                _ => {}
            }
        }
        faults
    }
}

/// Faults of one read; pages and positions count from one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadFaults {
    pub(crate) close_page: Option<u64>,
    pub(crate) repeat_page: Option<u64>,
    pub(crate) lose_page: Option<u64>,
    pub(crate) hang_page: Option<u64>,
    pub(crate) zero_rows: bool,
    pub(crate) half_rows: bool,
    pub(crate) shuffled_keys: bool,
    pub(crate) duplicate_every: Option<u64>,
}
