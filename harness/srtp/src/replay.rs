//! The sliding window of indices that were already seen.

/// Packets that the window reaches back, the newest included. RFC 3711, section 3.3.2: at least 64.
pub(crate) const WINDOW_PACKETS: u64 = 64;

/// What one stream has seen: the highest index and the 63 below it. RFC 3711, section 3.3.2.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Window {
    highest: Option<u64>,
    /// Bit n stands for `highest - n`.
    seen: u64,
}

impl Window {
    /// The highest index accepted so far.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` is new: ahead of the window, or inside it and not yet seen.
    pub(crate) fn is_fresh(&self, index: u64) -> bool {
        let Some(highest) = self.highest else { return true };
        match highest.checked_sub(index) {
            None => true,
            Some(back) => back < WINDOW_PACKETS && self.seen >> back & 1 == 0,
        }
    }

    /// Marks `index` as seen. To be called only after authentication (RFC 3711, section 3.3.2). An index that is
    /// not fresh changes nothing.
    pub(crate) fn accept(&mut self, index: u64) {
        let Some(highest) = self.highest else {
            (self.highest, self.seen) = (Some(index), 1);
            return;
        };
        if let Some(back) = highest.checked_sub(index) {
            if back < WINDOW_PACKETS {
                self.seen |= 1 << back;
            }
            return;
        }
        let ahead = index - highest;
        self.seen = if ahead < WINDOW_PACKETS { self.seen << ahead | 1 } else { 1 };
        self.highest = Some(index);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{WINDOW_PACKETS, Window};

    #[test]
    fn the_edge_of_the_window_is_the_sixty_fourth_packet() {
        let mut window = Window::default();
        window.accept(1000);
        assert!(!window.is_fresh(1000));
        assert!(window.is_fresh(1000 - 63));
        assert!(!window.is_fresh(1000 - 64));
        window.accept(1063);
        assert!(!window.is_fresh(1000));
        window.accept(1064);
        assert!(!window.is_fresh(1000));
        assert!(window.is_fresh(1001));
    }

    #[test]
    fn a_jump_over_the_whole_window_forgets_nothing_that_counts() {
        let mut window = Window::default();
        window.accept(0);
        window.accept(64);
        assert!(!window.is_fresh(0));
        assert!(window.is_fresh(1));
        window.accept(u64::MAX);
        assert!(!window.is_fresh(64));
        assert!(!window.is_fresh(u64::MAX));
    }

    proptest! {
        /// The model keeps every index for ever.
        #[test]
        fn window_agrees_with_a_list(start in 0u64..1 << 40, steps in prop::collection::vec(-100i64..100, 1..400)) {
            let (mut window, mut list) = (Window::default(), BTreeSet::new());
            let mut index = start;
            for step in steps {
                index = index.saturating_add_signed(step);
                let too_old = list.last().is_some_and(|highest| index + WINDOW_PACKETS <= *highest);
                let fresh = !too_old && !list.contains(&index);
                prop_assert_eq!(window.is_fresh(index), fresh);
                if fresh {
                    window.accept(index);
                    list.insert(index);
                } else {
                    let before = window;
                    window.accept(index);
                    prop_assert_eq!(window, before);
                }
                prop_assert_eq!(window.highest(), list.last().copied());
            }
        }
    }
}
