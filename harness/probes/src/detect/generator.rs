//! Whether values follow from each other by a generator that is no secret: its next number is computed, not guessed.

/// Multiplier, increment, modulus. The number shown is the whole state: where bits of it are thrown away, there are too many
/// states to try.
type Linear = (u128, u128, u128);

/// Linear congruential generators of common libraries, as these document them.
const LINEAR: [Linear; 5] = [
    (1_103_515_245, 12_345, 1 << 31),    // ISO C, section 7.22.2, example; glibc's TYPE_0
    (16_807, 0, (1 << 31) - 1),          // Park and Miller 1988: C++ minstd_rand0
    (48_271, 0, (1 << 31) - 1),          // Park and Miller 1993: C++ minstd_rand
    (1_664_525, 1_013_904_223, 1 << 32), // Knuth and Lewis; Numerical Recipes
    (6_364_136_223_846_793_005, 1_442_695_040_888_963_407, 1 << 64), // Knuth, MMIX
];

/// Numbers that others may have drawn in between (house).
const BETWEEN: usize = 64;

/// Three values or more, decimal or hexadecimal numbers, each of which the one before leads to.
pub(super) fn predicts(values: &[&str]) -> bool {
    [10, 16].into_iter().any(|radix| {
        let numbers: Option<Vec<u128>> = values.iter().map(|text| u128::from_str_radix(text, radix).ok()).collect();
        numbers.is_some_and(|numbers| {
            let moves = || numbers.iter().zip(numbers.iter().skip(1));
            numbers.len() > 2
                && moves().all(|(a, b)| a != b)
                && LINEAR.iter().any(|linear| moves().all(|(a, b)| leads(*linear, *a, *b)))
        })
    })
}

fn leads((multiplier, increment, modulus): Linear, from: u128, to: u128) -> bool {
    if from >= modulus || to >= modulus {
        return false;
    }
    let mut state = from;
    (0..BETWEEN).any(|_| {
        state = (state.wrapping_mul(multiplier).wrapping_add(increment)) % modulus;
        state == to
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generator_is_known_by_three_numbers() {
        // minstd_rand0 from 1; its third number, and the tenth.
        assert!(predicts(&["16807", "282475249", "1622650073"]));
        assert!(predicts(&["16807", "1622650073", "2007237709"]));
        assert!(!predicts(&["16807", "282475249"]), "two numbers are too few");
        assert!(!predicts(&["16807", "282475249", "1622650074"]));
        assert!(!predicts(&["0b8c7d6e", "9f3a1122", "77aa00bb"]));
        assert!(!predicts(&["5", "5", "5"]) && !predicts(&[]));
    }
}
