//! Decides which slot a deadline belongs to and which slot comes next; plain arithmetic on numbers and bitmaps.
//!
//! ```text
//!  Invariant, for every entry with deadline t in slot (level, digit), elapsed being the wheel's time:
//!    t and elapsed agree in all digits above `level`, t has `digit` on it, and
//!    digit > elapsed's digit on `level`, or the slot is the entered one, or level == 0 and t == elapsed.
//!  So every slot of a level is later than every slot of the levels below, and within a level digits sort slots.
//!  While a slot is entered, elapsed stays inside of it until it is empty; what is added meanwhile lies below it.
//! ```

/// Digits of six bits that a `u64` needs.
pub(crate) const LEVELS: usize = 11;
/// All slots of all levels.
pub(crate) const SLOTS: usize = LEVELS << DIGIT_BITS;
/// What [`Levels::earliest`] answers when there is no entry; no deadline has this value.
pub(crate) const NONE: u64 = u64::MAX;

/// Which slots are occupied, the minimum of each, and the wheel's time.
#[derive(Debug)]
pub(crate) struct Levels {
    elapsed: u64,
    occupied: [u64; LEVELS],
    /// Slots whose recorded minimum was cancelled: it is then only a lower bound.
    stale: [u64; LEVELS],
    /// Meaningful for occupied slots only.
    minimum: Box<[u64]>,
    /// The least minimum of all, or [`NONE`]: it changes rarely, and is asked for at every registration and its end.
    earliest: u64,
    /// The slot that is being emptied; kept from turn to turn, because one turn may be too short for all its entries.
    entered: Option<Slot>,
}

impl Levels {
    pub(crate) fn new() -> Self {
        Self {
            elapsed: 0,
            occupied: [0; LEVELS],
            stale: [0; LEVELS],
            minimum: vec![NONE; SLOTS].into_boxed_slice(),
            earliest: NONE,
            entered: None,
        }
    }

    /// The wheel's time: never later than the latest `now` of a turn, never later than a deadline in a slot.
    pub(crate) fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// The slot for a deadline that is not before [`elapsed`](Self::elapsed).
    pub(crate) fn place(&self, deadline: u64) -> Slot {
        debug_assert!(deadline >= self.elapsed, "the past has no slot");
        // Equal times differ in no digit; `| 1` sends them to level 0.
        let highest_bit = 63 - ((deadline ^ self.elapsed) | 1).leading_zeros();
        Slot::new(highest_bit / DIGIT_BITS, deadline)
    }

    /// Records that an entry was put into `slot`.
    pub(crate) fn added(&mut self, slot: Slot, deadline: u64) {
        let (level, bit) = (slot.level(), slot.bit());
        if self.occupied[level] & bit == 0 || deadline <= self.minimum[slot.index()] {
            self.minimum[slot.index()] = deadline;
            self.stale[level] &= !bit;
        }
        self.occupied[level] |= bit;
        self.earliest = self.earliest.min(deadline);
    }

    /// Records that an entry was taken out of `slot`, which is now `empty` or not.
    pub(crate) fn removed(&mut self, slot: Slot, deadline: u64, empty: bool) {
        let (level, bit) = (slot.level(), slot.bit());
        if empty {
            self.occupied[level] &= !bit;
            self.stale[level] &= !bit;
            if self.entered == Some(slot) {
                self.entered = None;
            }
            self.earliest = self.least_minimum();
        } else if level > 0 && deadline == self.minimum[slot.index()] {
            self.stale[level] |= bit;
        }
    }

    /// A time not later than the earliest deadline, and equal to it if no minimum is stale; [`NONE`] without entries.
    pub(crate) fn earliest(&self) -> u64 {
        self.earliest
    }

    pub(crate) fn least_minimum(&self) -> u64 {
        self.earliest_slots()
            .into_iter()
            .flatten()
            .map(|slot| self.minimum[slot.index()])
            .min()
            .unwrap_or(NONE)
    }

    /// The slots one of which has the earliest deadline: the lowest, and the entered one if it is another.
    pub(crate) fn earliest_slots(&self) -> [Option<Slot>; 2] {
        let first = self.first();
        [first, self.entered.filter(|_| self.entered != first)]
    }

    /// The slot to empty next. Enters it: from now on it only shrinks, and the wheel's time is its minimum.
    ///
    /// To be called only when [`earliest`](Self::earliest) is due, or the wheel's time would run ahead of the clock.
    pub(crate) fn enter(&mut self) -> Option<Slot> {
        // An entered slot goes first: it may hold deadlines before those that already moved to lower levels.
        if self.entered.is_none() {
            self.entered = self.first();
            if let Some(slot) = self.entered {
                // Not the start of the slot: from its minimum the earliest entries reach level 0 in one move.
                self.elapsed = self.elapsed.max(self.minimum[slot.index()]);
            }
        }
        self.entered
    }

    /// Brings the wheel's time near `now` after all that is due was fired, so that new entries start on low levels.
    pub(crate) fn advance(&mut self, now: u64) {
        if self.entered.is_some() {
            return;
        }
        // Stops before the first slot: inside of it the slot would have to be emptied, and none of it is due.
        let limit = self.first().map_or(NONE, |slot| slot.start(self.elapsed));
        self.elapsed = self.elapsed.max(now.min(limit.saturating_sub(1)));
    }

    /// Whether the minimum of `slot` is known to be only a lower bound.
    pub(crate) fn is_stale(&self, slot: Slot) -> bool {
        self.stale[slot.level()] & slot.bit() != 0
    }

    /// Replaces a stale minimum by the exact one.
    pub(crate) fn refresh(&mut self, slot: Slot, minimum: u64) {
        self.minimum[slot.index()] = minimum;
        self.stale[slot.level()] &= !slot.bit();
        self.earliest = self.least_minimum();
    }

    /// The lowest occupied slot. With the entered one, which can only be on a higher level, it bounds all others.
    pub(crate) fn first(&self) -> Option<Slot> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        Some(Slot(
            ((level as u16) << DIGIT_BITS) + self.occupied[level].trailing_zeros() as u16,
        ))
    }

    #[cfg(test)]
    pub(crate) fn is_occupied(&self, slot: Slot) -> bool {
        self.occupied[slot.level()] & slot.bit() != 0
    }

    #[cfg(test)]
    pub(crate) fn minimum(&self, slot: Slot) -> u64 {
        self.minimum[slot.index()]
    }

    #[cfg(test)]
    pub(crate) fn entered(&self) -> Option<Slot> {
        self.entered
    }
}

/// A slot: its level, and the digit that its deadlines have on this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(u16);

impl Slot {
    /// The slot on `level` in which `deadline` lies.
    pub(crate) fn new(level: u32, deadline: u64) -> Self {
        let digit = (deadline >> (level * DIGIT_BITS)) & DIGIT_MASK;
        Self(((level as u16) << DIGIT_BITS) + digit as u16)
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn level(self) -> usize {
        self.index() >> DIGIT_BITS
    }

    fn bit(self) -> u64 {
        1 << (u64::from(self.0) & DIGIT_MASK)
    }

    /// The earliest time in the slot, given a time that agrees with it above the slot's level.
    fn start(self, elapsed: u64) -> u64 {
        let shift = self.level() as u32 * DIGIT_BITS;
        // The digit above the top level starts past bit 63: nothing is left of it.
        let above = elapsed
            .checked_shr(shift + DIGIT_BITS)
            .map_or(0, |digits| digits << (shift + DIGIT_BITS));
        above | ((u64::from(self.0) & DIGIT_MASK) << shift)
    }

    #[cfg(test)]
    pub(crate) fn from_index(index: usize) -> Self {
        Self(index as u16)
    }
}

const DIGIT_BITS: u32 = 6;
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;
