//! One list of a hello that rides along with the suites: what of it was named, what is left.

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rider {
    Groups,
    Schemes,
    Profiles,
}

impl Rider {
    pub const ALL: [Self; 3] = [Self::Groups, Self::Schemes, Self::Profiles];
}

/// One value for each list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Each<T>([T; 3]);

impl<T> Each<T> {
    pub fn new(mut make: impl FnMut(Rider) -> T) -> Each<T> {
        Each(Rider::ALL.map(&mut make))
    }

    pub fn get(&self, rider: Rider) -> &T {
        &self.0[rider as usize]
    }

    pub fn get_mut(&mut self, rider: Rider) -> &mut T {
        &mut self.0[rider as usize]
    }
}

/// A set of entries by their place in the list, at most 128 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u128);

impl Set {
    fn first(count: usize) -> Self {
        Self(1u128.checked_shl(u32::try_from(count).unwrap_or(u32::MAX)).map_or(u128::MAX, |bit| bit - 1))
    }

    fn one(place: usize) -> Self {
        Self(u32::try_from(place).ok().and_then(|place| 1u128.checked_shl(place)).unwrap_or(0))
    }

    pub fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The places, lowest first.
    fn places(mut self) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || {
            let place = (self.0 != 0).then(|| self.0.trailing_zeros())?;
            self.0 &= self.0 - 1;
            usize::try_from(place).ok()
        })
    }
}

/// The list.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    all: Vec<u16>,
    rest: Set,
    found: Vec<u16>,
}

impl Axis {
    /// The first 128 of `all` are asked for.
    pub fn new(mut all: Vec<u16>) -> Self {
        all.truncate(128);
        Self { rest: Set::first(all.len()), all, found: Vec::new() }
    }

    pub fn rest(&self) -> Set {
        self.rest
    }

    pub fn whole(&self) -> Set {
        Set::first(self.all.len())
    }

    /// The entries of `set`: those that were not named yet, and behind them those that were.
    pub fn list(&self, set: Set) -> Vec<u16> {
        let mut list = Vec::with_capacity(self.all.len());
        list.extend(self.rest.both(set).places().filter_map(|place| self.all.get(place)));
        list.extend(self.found.iter().filter(|code| !self.place(**code).is_empty() && set.holds(self.place(**code))));
        list
    }

    /// The set of this one entry, empty if the list has none of that number.
    pub fn place(&self, code: u16) -> Set {
        self.all.iter().position(|known| *known == code).map(Set::one).unwrap_or_default()
    }

    /// The server named `code`; whether that is new.
    pub fn take(&mut self, code: u16) -> bool {
        self.rest = self.rest.without(self.place(code));
        let new = !self.found.contains(&code);
        if new {
            self.found.push(code);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_named_goes_behind_the_rest() {
        let mut axis = Axis::new(vec![5, 6, 7]);
        assert_eq!(axis.list(axis.rest()), axis.list(axis.whole()));
        assert!(axis.take(6) && !axis.take(6));
        assert_eq!(axis.list(axis.rest()), [5, 7]);
        assert_eq!(axis.list(axis.whole()), [5, 7, 6]);
        assert_eq!(axis.list(axis.whole().without(axis.place(5))), [7, 6]);
        assert_eq!(axis.place(7).with(axis.place(5)), axis.rest());
        assert!(axis.whole().holds(axis.rest()) && !axis.rest().holds(axis.whole()));
        assert!(axis.take(9) && axis.place(9).is_empty());
        assert_eq!(axis.list(axis.whole()), [5, 7, 6], "what is not in the list is never offered");
        axis.take(5);
        axis.take(7);
        assert!(axis.rest().is_empty());
        let many = Axis::new((0..500).collect());
        assert_eq!(many.list(many.whole()).len(), 128);
    }
}
