//! The sliding window of indices that were already seen.

/// Bits in a word of the list.
const WORD: u64 = u64::BITS as u64;

/// The highest index of a stream and which of those right below it were seen. RFC 3711, section 3.3.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    highest: Option<u64>,
    /// Indices that the window reaches back, the highest included.
    size: u64,
    /// A ring of words, a power of two of them. One more than the size needs at least, so that a word can be cleared as soon
    /// as the highest index enters it.
    seen: Box<[u64]>,
}

impl Window {
    /// An empty window over `size` packets.
    pub(crate) fn new(size: u16) -> Self {
        let size = u64::from(size);
        let words = (size.div_ceil(WORD) as usize + 1).next_power_of_two();
        Self { highest: None, size, seen: vec![0; words].into() }
    }

    /// The highest index accepted so far.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` is new: ahead of the window, or inside it and not yet seen.
    pub(crate) fn is_fresh(&self, index: u64) -> bool {
        let Some(highest) = self.highest else { return true };
        match highest.checked_sub(index) {
            None => true,
            Some(back) => back < self.size && self.seen[self.word(index)] & bit(index) == 0,
        }
    }

    /// Marks `index` as seen. To be called only after authentication (RFC 3711, section 3.3.2). An index that is
    /// not fresh changes nothing.
    pub(crate) fn accept(&mut self, index: u64) {
        let highest = self.highest.unwrap_or(index);
        if index > highest {
            // The words that the window enters hold what was seen a ring's length ago.
            let entered = (index / WORD - highest / WORD).min(self.seen.len() as u64);
            for step in 0..entered {
                let word = self.word(index - step * WORD);
                self.seen[word] = 0;
            }
        } else if highest - index >= self.size {
            return;
        }
        let word = self.word(index);
        self.seen[word] |= bit(index);
        self.highest = Some(highest.max(index));
    }

    fn word(&self, index: u64) -> usize {
        (index / WORD) as usize & (self.seen.len() - 1)
    }
}

fn bit(index: u64) -> u64 {
    1 << (index % WORD)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Window;

    #[test]
    fn the_edge_of_the_window_is_the_last_packet_of_its_size() {
        for size in [64, 100, 128, 1024, 32767] {
            let back = u64::from(size);
            let mut window = Window::new(size);
            window.accept(100_000);
            assert!(!window.is_fresh(100_000));
            assert!(window.is_fresh(100_001 - back));
            assert!(!window.is_fresh(100_000 - back));
            window.accept(100_000 + back - 1);
            assert!(!window.is_fresh(100_000), "seen");
            window.accept(100_000 + back);
            assert!(!window.is_fresh(100_000), "too old");
            assert!(window.is_fresh(100_001));
        }
    }

    #[test]
    fn a_jump_over_the_whole_window_forgets_nothing_that_counts() {
        let mut window = Window::new(64);
        window.accept(0);
        window.accept(64);
        assert!(!window.is_fresh(0));
        assert!(window.is_fresh(1));
        window.accept(u64::MAX);
        assert!(!window.is_fresh(64));
        assert!(!window.is_fresh(u64::MAX));
        assert!(window.is_fresh(u64::MAX - 63));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        /// The model keeps every index for ever.
        #[test]
        fn window_agrees_with_a_list(
            size in 64u16..2000, start in 0u64..1 << 40, spread in prop::sample::select(vec![3i64, 70, 300, 3000]),
            steps in prop::collection::vec(-1000i64..1000, 1..400),
        ) {
            let (mut window, mut list) = (Window::new(size), BTreeSet::new());
            let mut index = start;
            for step in steps {
                index = index.saturating_add_signed(step % spread);
                let too_old = list.last().is_some_and(|highest| index + u64::from(size) <= *highest);
                let fresh = !too_old && !list.contains(&index);
                prop_assert_eq!(window.is_fresh(index), fresh);
                let before = window.clone();
                window.accept(index);
                if fresh {
                    list.insert(index);
                } else {
                    prop_assert_eq!(&window, &before);
                }
                prop_assert_eq!(window.highest(), list.last().copied());
            }
        }
    }
}
