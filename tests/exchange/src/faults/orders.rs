//! Faults between the receipt of an order and its answer, on either side of the match.

use std::time::Duration;

use fastrand::Rng;

use crate::connection::ending::How;

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cut {
    /// FIN, without a close frame.
    #[default]
    Drop,
    /// RST.
    Reset,
}

impl Cut {
    pub(crate) fn how(self) -> How {
        match self {
            Self::Drop => How::Fin,
            Self::Reset => How::Reset,
        }
    }
}

/// What is done once a request is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Afterwards {
    #[default]
    Answer,
    /// The answer is an error with this code.
    Fail(i64),
    /// The answer is lost, and the connection stays.
    Nothing,
    Cut(How),
    AnswerAndCut(How),
}

/// What happens to one request to the matching engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MatchFate {
    /// It is never carried out: its connection is cut before.
    pub(crate) cut_before: Option<Cut>,
    /// It is carried out so much later.
    pub(crate) delay: Duration,
    pub(crate) afterwards: Afterwards,
    /// The connection is cut while it waits.
    pub(crate) cut_meanwhile: Option<Cut>,
}

/// Strikes one request in so many, at random but by the seed.
#[derive(Debug)]
pub(crate) struct Hazard {
    one_in: Option<u32>,
    rng: Rng,
}

impl Hazard {
    pub(crate) fn new(one_in: Option<u32>, rng: Rng) -> Self {
        Self { one_in, rng }
    }

    pub(crate) fn set(&mut self, one_in: Option<u32>) {
        self.one_in = one_in;
    }

    /// What is in store for the next request, if anything.
    pub(crate) fn strike(&mut self) -> Option<MatchFate> {
        let one_in = self.one_in?.max(1);
        if self.rng.u32(..one_in) > 0 {
            return None;
        }
        let cut = if self.rng.bool() { Cut::Drop } else { Cut::Reset };
        let late = Duration::from_millis(self.rng.u64(1..60));
        let none = MatchFate::default();
        Some(match self.rng.u8(..6) {
            0 => MatchFate { cut_before: Some(cut), ..none },
            1 | 2 => MatchFate { afterwards: Afterwards::Cut(cut.how()), ..none },
            3 => MatchFate { afterwards: Afterwards::Nothing, ..none },
            4 => MatchFate { afterwards: Afterwards::AnswerAndCut(cut.how()), ..none },
            // Carried out when its connection is long gone: a look for it before that finds nothing.
            _ => MatchFate { delay: late, cut_meanwhile: Some(cut), ..none },
        })
    }
}
