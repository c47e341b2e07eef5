//! Numbers as JSON writes them, made `f64` once and correctly rounded: the same bits as `str::parse` gives. That one
//! brings tables of 15 kB, which a page would have to download.
//!
//! Nearly every number is exact in one multiplication or division (Clinger's fast path). The rest is divided out with
//! whole numbers of any length, which is slower and has no special cases.

use std::cmp::Ordering;

use super::{Malformed, Reader};

#[cfg(test)]
mod tests;

impl Reader<'_> {
    /// Reads a number. One that is beyond the range of `f64` is refused; one that is too small to tell from zero is zero.
    pub(crate) fn number(&mut self) -> Result<f64, Malformed> {
        let (decimal, start) = self.decimal()?;
        match decimal.fast().or_else(|| decimal.exact(self.since(start))) {
            Some(magnitude) if decimal.negative => Ok(-magnitude),
            Some(magnitude) => Ok(magnitude),
            None => self.fail("a number that is too large"),
        }
    }

    /// Reads an unsigned integer, however it is written: `12`, `12.0`, `1.2e1`.
    pub(crate) fn integer(&mut self) -> Result<u64, Malformed> {
        let (decimal, _) = self.decimal()?;
        match decimal.integer() {
            Some(integer) => Ok(integer),
            None => self.fail("an unsigned integer was expected"),
        }
    }

    /// Reads a number's digits; where it starts.
    #[inline]
    fn decimal(&mut self) -> Result<(Decimal, usize), Malformed> {
        let negative = self.peek()? == b'-';
        let start = self.at;
        self.at += usize::from(negative);
        let mut decimal = Decimal { negative, ..Decimal::default() };
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.take_digits(&mut decimal),
            _ => return self.fail("a number was expected"),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            let whole = decimal.length;
            self.take_digits(&mut decimal);
            if decimal.length == whole {
                return self.fail("a digit was expected");
            }
            // A text is never so long that this could overflow.
            decimal.power = -((decimal.length - whole) as i64);
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            decimal.power += self.power_of_ten()?;
        }
        Ok((decimal, start))
    }

    #[inline]
    fn take_digits(&mut self, decimal: &mut Decimal) {
        let start = self.at;
        while let Some(digit) = self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|d| *d < 10)
        {
            // It wraps only when there are so many digits that it is not looked at.
            decimal.digits = decimal.digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        decimal.length += self.at - start;
    }

    fn power_of_ten(&mut self) -> Result<i64, Malformed> {
        let sign = self.text.get(self.at).copied().filter(|byte| matches!(byte, b'+' | b'-'));
        self.at += usize::from(sign.is_some());
        let start = self.at;
        self.digits()?;
        // Beyond this nothing changes, even when a text of the greatest length lets zeros compensate for it.
        const MOST: i64 = 1 << 48;
        let power = self
            .since(start)
            .iter()
            .fold(0, |power: i64, byte| (power * 10 + i64::from(byte.wrapping_sub(b'0'))).min(MOST));
        Ok(if sign == Some(b'-') { -power } else { power })
    }
}

/// `digits × 10^power`, with a sign.
#[derive(Default)]
struct Decimal {
    negative: bool,
    /// All digits as one number, if that is possible.
    digits: u64,
    /// How many there are, zeros in front included.
    length: usize,
    power: i64,
}

impl Decimal {
    /// The digits, when they fit.
    #[inline]
    fn whole(&self) -> Option<u64> {
        // Nineteen nines are less than 2^64.
        (self.length <= 19).then_some(self.digits)
    }

    /// The magnitude, when both factors are exact, so that only the one operation rounds.
    #[inline]
    fn fast(&self) -> Option<f64> {
        const EXACT: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
            1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        let digits = self.whole().filter(|digits| *digits <= 1 << 53)? as f64;
        let power = EXACT.get(usize::try_from(self.power.unsigned_abs()).ok()?)?;
        Some(if self.power < 0 { digits / power } else { digits * power })
    }

    fn integer(&self) -> Option<u64> {
        let mut digits = self.whole()?;
        if digits == 0 {
            return Some(0);
        }
        for _ in 0..self.power {
            digits = digits.checked_mul(10)?;
        }
        for _ in self.power..0 {
            digits = digits.is_multiple_of(10).then_some(digits / 10)?;
        }
        (!self.negative).then_some(digits)
    }

    /// The magnitude by exact division, from the number's text; `None` when it is too large.
    #[cold]
    fn exact(&self, text: &[u8]) -> Option<f64> {
        let mut digits = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
        let digits = digits.by_ref().filter(|byte| byte.is_ascii_digit()).skip_while(|byte| **byte == b'0');
        let mut numerator = Big::from(0);
        let (mut taken, mut power, mut more) = (0, self.power, false);
        for digit in digits {
            if taken < DIGITS {
                numerator.multiply_add(10, u32::from(digit - b'0'));
                taken += 1;
            } else {
                power += 1;
                more |= *digit != b'0';
            }
        }
        if more {
            // No number that `f64` rounds at has so many digits: what is above the last of them is as good as a one.
            numerator.multiply_add(10, 1);
            power -= 1;
            taken += 1;
        }
        // The magnitude lies between 10^(size - 1) and 10^size.
        let size = power.saturating_add(taken);
        if taken == 0 || size < -330 {
            return Some(0.0);
        }
        if size > 310 {
            return None;
        }
        let mut denominator = Big::from(1);
        let scaled = if power < 0 { &mut denominator } else { &mut numerator };
        for _ in 0..power.unsigned_abs() {
            scaled.multiply_add(10, 0);
        }
        divide(numerator, denominator)
    }
}

/// So many digits decide how a number is rounded: halves between two `f64` have at most 767.
const DIGITS: i64 = 770;

/// The nearest `f64`, the even one of two; `None` when it is too large.
fn divide(mut numerator: Big, mut denominator: Big) -> Option<f64> {
    const MIN: i32 = -1074;
    // The quotient's power of two, so that both have the same size after a shift.
    let mut power = numerator.bits() - denominator.bits();
    numerator.shift(-power);
    denominator.shift(power);
    if numerator.compare(&denominator) == Ordering::Less {
        power -= 1;
        numerator.shift(1);
    }
    if !(MIN - 1..f64::MAX_EXP).contains(&power) {
        return (power < 0).then_some(0.0);
    }
    // Now 1 ≤ quotient < 2. It has 53 bits, or fewer where `f64` does.
    let bits = (power - MIN + 1).clamp(0, 53);
    let mut quotient = 0u64;
    for _ in 0..bits {
        quotient <<= 1;
        if numerator.compare(&denominator) != Ordering::Less {
            numerator.subtract(&denominator);
            quotient |= 1;
        }
        numerator.shift(1);
    }
    // What is left, doubled, against the divisor: above, at or below half of the last bit.
    let up = match numerator.compare(&denominator) {
        Ordering::Less => false,
        Ordering::Equal => quotient & 1 == 1,
        Ordering::Greater => true,
    };
    // The highest of 53 bits is not stored, and counts the exponent up by one. So does a carry.
    let exponent = u64::try_from(power - f64::MIN_EXP + 1).unwrap_or(0);
    let value = f64::from_bits((exponent << 52) + quotient + u64::from(up));
    value.is_finite().then_some(value)
}

/// A whole number of up to 3,840 bits. The largest that is met here is 10^1101, doubled.
struct Big {
    /// From the lowest. Those from `length` on are zero.
    limbs: [u32; 120],
    length: usize,
}

impl From<u32> for Big {
    fn from(value: u32) -> Self {
        let mut limbs = [0; 120];
        limbs[0] = value;
        Self { limbs, length: 1 }
    }
}

impl Big {
    fn bits(&self) -> i32 {
        let highest = self.limbs.iter().rposition(|limb| *limb != 0);
        highest.map_or(0, |at| (at as i32 + 1) * 32 - self.limbs[at].leading_zeros() as i32)
    }

    fn multiply_add(&mut self, factor: u32, mut carry: u32) {
        for limb in &mut self.limbs[..self.length] {
            let product = u64::from(*limb) * u64::from(factor) + u64::from(carry);
            (*limb, carry) = (product as u32, (product >> 32) as u32);
        }
        self.push(carry);
    }

    /// Shifts to the left; by a negative number not at all.
    fn shift(&mut self, by: i32) {
        let by = usize::try_from(by).unwrap_or(0);
        let (whole, rest) = (by / 32, by % 32);
        if whole > 0 {
            self.limbs.rotate_right(whole);
            self.length += whole;
        }
        if rest > 0 {
            let mut carry = 0;
            for limb in &mut self.limbs[whole..self.length] {
                (*limb, carry) = (*limb << rest | carry, *limb >> (32 - rest));
            }
            self.push(carry);
        }
    }

    fn push(&mut self, limb: u32) {
        if limb != 0 {
            self.limbs[self.length] = limb;
            self.length += 1;
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let length = self.length.max(other.length);
        self.limbs[..length].iter().rev().cmp(other.limbs[..length].iter().rev())
    }

    /// Subtracts what is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (limb, other) in self.limbs[..self.length].iter_mut().zip(&other.limbs) {
            let (difference, first) = limb.overflowing_sub(*other);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            (*limb, borrow) = (difference, first || second);
        }
    }
}
