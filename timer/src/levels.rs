//! Decides which slot a deadline belongs to and which slot comes next; plain arithmetic on numbers and bitmaps.
//!
//! ```text
//!  Invariant, for every entry with deadline t in slot (level, digit), elapsed being the wheel's time:
//!    t and elapsed agree in all digits above `level`, t has `digit` on it, and
//!    digit > elapsed's digit on `level`, or the slot is the entered one, or level == 0 and t == elapsed.
//!  So every slot of a level is later than every slot of the levels below, and within a level digits sort slots.
//!  While a slot is entered, elapsed stays inside of it until it is empty; what is added meanwhile lies below it.
//! ```
//!
//! Slots are numbered through all levels, lowest first, in words of 64: a level of six bits is one word, the wide one is 64. So the lowest
//! bit of the lowest word that is not empty is the first slot, whatever its level.

/// The digits of a `u64`: of six bits, but one of twelve, and the highest has four.
pub(crate) const LEVELS: usize = 10;
/// Slots of all levels.
pub(crate) const SLOTS: usize = WORDS << DIGIT_BITS;
/// What [`Levels::earliest`] answers when there is no entry; no deadline has this value.
pub(crate) const NONE: u64 = u64::MAX;
/// The latest deadline. What is above has another meaning in [`State`](crate::node::State).
pub(crate) const LATEST: u64 = u64::MAX - 3;

/// Which slots are occupied, the minimum of each, and the wheel's time.
#[derive(Debug)]
pub(crate) struct Levels {
    elapsed: u64,
    occupied: [u64; WORDS],
    /// Which words of `occupied` are not zero.
    words: u128,
    /// Slots whose recorded minimum was cancelled: it is then only a lower bound.
    stale: [u64; WORDS],
    /// Meaningful for occupied slots only. Empty before the first entry comes.
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
            occupied: [0; WORDS],
            words: 0,
            stale: [0; WORDS],
            minimum: Box::default(),
            earliest: NONE,
            entered: None,
        }
    }

    /// Makes room, before the first entry comes.
    pub(crate) fn allocate(&mut self) {
        self.minimum = vec![NONE; SLOTS].into_boxed_slice();
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
        let six_bits = highest_bit / DIGIT_BITS;
        Slot::new(six_bits - u32::from(six_bits > WIDE), deadline)
    }

    /// Records that an entry was put into `slot`.
    pub(crate) fn added(&mut self, slot: Slot, deadline: u64) {
        let (word, bit) = (slot.word(), slot.bit());
        if self.occupied[word] & bit == 0 || deadline <= self.minimum[slot.index()] {
            self.minimum[slot.index()] = deadline;
            self.stale[word] &= !bit;
        }
        self.occupied[word] |= bit;
        self.words |= 1 << word;
        self.earliest = self.earliest.min(deadline);
    }

    /// Records that an entry was taken out of `slot`, which is now `empty` or not.
    pub(crate) fn removed(&mut self, slot: Slot, deadline: u64, empty: bool) {
        let (word, bit) = (slot.word(), slot.bit());
        if empty {
            self.occupied[word] &= !bit;
            self.stale[word] &= !bit;
            if self.occupied[word] == 0 {
                self.words &= !(1 << word);
            }
            if self.entered == Some(slot) {
                self.entered = None;
            }
            // Nothing earlier can have been hidden by a slot that was not the earliest.
            if self.minimum[slot.index()] == self.earliest {
                self.earliest = self.least_minimum();
            }
        } else if slot.level() > 0 && deadline == self.minimum[slot.index()] {
            self.stale[word] |= bit;
        }
    }

    /// A time not later than the earliest deadline, and equal to it if no minimum is stale; [`NONE`] without entries.
    #[inline]
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
        self.stale[slot.word()] & slot.bit() != 0
    }

    /// Replaces a stale minimum by the exact one.
    pub(crate) fn refresh(&mut self, slot: Slot, minimum: u64) {
        self.minimum[slot.index()] = minimum;
        self.stale[slot.word()] &= !slot.bit();
        self.earliest = self.least_minimum();
    }

    /// The lowest occupied slot. With the entered one, which can only be on a higher level, it bounds all others.
    pub(crate) fn first(&self) -> Option<Slot> {
        if self.words == 0 {
            return None;
        }
        let word = self.words.trailing_zeros() as u16;
        let bit = self.occupied[usize::from(word)].trailing_zeros() as u16;
        Some(Slot((word << DIGIT_BITS) + bit))
    }

    #[cfg(test)]
    pub(crate) fn is_occupied(&self, slot: Slot) -> bool {
        self.occupied[slot.word()] & slot.bit() != 0
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
        let digit = deadline >> shift(level);
        Self(if level == WIDE {
            ((WIDE as u16) << DIGIT_BITS) + (digit & WIDE_MASK) as u16
        } else {
            // Above the wide level, its words but one come in between.
            let word = level + if level > WIDE { WIDE_WORDS - 1 } else { 0 };
            ((word as u16) << DIGIT_BITS) + (digit & DIGIT_MASK) as u16
        })
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn level(self) -> usize {
        match self.word() as u32 {
            word if word < WIDE => word as usize,
            word if word < WIDE + WIDE_WORDS => WIDE as usize,
            word => (word - (WIDE_WORDS - 1)) as usize,
        }
    }

    fn word(self) -> usize {
        self.index() >> DIGIT_BITS
    }

    fn bit(self) -> u64 {
        1 << (u64::from(self.0) & DIGIT_MASK)
    }

    /// The earliest time in the slot, given a time that agrees with it above the slot's level.
    fn start(self, elapsed: u64) -> u64 {
        let level = self.level() as u32;
        let (shift, end) = (shift(level), shift(level + 1));
        // The wide level begins at a multiple of 64 only.
        let digit = if level == WIDE {
            u64::from(self.0) - (u64::from(WIDE) << DIGIT_BITS)
        } else {
            u64::from(self.0) & DIGIT_MASK
        };
        // The digit above the top level starts past bit 63: nothing is left of it.
        let above = elapsed.checked_shr(end).map_or(0, |digits| digits << end);
        above | (digit << shift)
    }

    #[cfg(test)]
    pub(crate) fn from_index(index: usize) -> Self {
        Self(index as u16)
    }
}

/// The bit at which the digit of `level` begins.
fn shift(level: u32) -> u32 {
    // The wide one has the bits of two.
    DIGIT_BITS * (level + u32::from(level > WIDE))
}

const DIGIT_BITS: u32 = 6;
const DIGIT_MASK: u64 = (1 << DIGIT_BITS) - 1;
/// The level of the digit of twelve bits: 4096 slots of 16.8 ms, which are 68.7 s.
const WIDE: u32 = 4;
const WIDE_MASK: u64 = (1 << (2 * DIGIT_BITS)) - 1;
const WIDE_WORDS: u32 = 1 << DIGIT_BITS;
/// All words of 64 slots.
const WORDS: usize = LEVELS - 1 + WIDE_WORDS as usize;
