//! What happens to one life: everything that a seed decides before it begins.

use std::fmt;
use std::time::Duration;

use super::protocol::Place;

/// The generator behind the plan. The world has another, so that a plan with fewer faults meets the same network.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        // SplitMix64, so that neighbouring seeds have nothing in common.
        Self(seed.wrapping_add(0x9e37_79b9_7f4a_7c15))
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub fn within(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.below(most.as_millis() as u64 + 1))
    }
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset; what is on its way is lost in part.
    Reset,
    /// The venue says goodbye with this code.
    Goodbye(u16),
    /// The venue ends it without a word, after what it has sent.
    End,
    /// Nothing passes any more, and nobody is told.
    HalfOpen,
    /// The venue reads nothing more.
    Stall,
    /// What no venue should send.
    Garbage(u8),
    /// This many updates at once.
    Flood(u64),
    /// Replies come this late from now on.
    Slow(Duration),
    /// Requests are carried out and not answered, for this long.
    Mute(Duration),
    /// The network takes up to this long.
    Latency(Duration),
    /// Nobody gets in for this long, in one of several ways.
    Shut(Door, Duration),
    /// Logins are refused, for this long.
    RefuseLogin(Duration),
    /// Only some of the channels are confirmed, for this long.
    Partial(Duration),
    /// Consumers read nothing for this long.
    SlowConsumers(Duration),
    /// The machine sleeps.
    Sleep(Duration),
    /// The clock leaps ahead.
    Jump(Duration),
    /// The page is hidden for this long, and its timers fire once a second.
    Hide(Duration),
    /// The network is known to be away for this long.
    Offline(Duration),
    /// The page is shown.
    Visible,
    /// The user asks for a new connection.
    Reconnect,
    /// The protocol panics, the next time that it comes to this place.
    Panic(Place),
    /// The user has the client finish what is under way, within this long, and close.
    Drain(Duration),
}

/// Whether a panic can be contained. Where it ends the program, none is planned.
pub const PANICS: bool = cfg!(panic = "unwind");

/// How attempts to connect are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Refused,
    Silent,
    /// 503 with `Retry-After` of so many seconds.
    Busy(u64),
    TooMany,
    /// It opens, and closes at once.
    Revolving,
}

impl Fault {
    /// Whether the clients' clock or timers are no measure of time any more.
    pub fn bends_time(self) -> bool {
        matches!(self, Self::Sleep(_) | Self::Jump(_) | Self::Hide(_))
    }

    fn any(dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice| Duration::from_millis(100) + dice.within(Duration::from_secs(12));
        match dice.below(27) {
            0..3 => Self::Reset,
            3 => Self::Goodbye([1000, 1001, 1011, 1012, 1013, 4000][dice.below(6) as usize]),
            4 => Self::End,
            5..7 => Self::HalfOpen,
            7 => Self::Stall,
            8 => Self::Garbage(dice.below(5) as u8),
            9 => Self::Flood(1 + dice.below(200)),
            10 => Self::Slow(dice.within(Duration::from_secs(4))),
            11 => Self::Mute(some(dice)),
            12 => Self::Latency(dice.within(Duration::from_secs(1))),
            13..16 => Self::Shut(Door::any(dice), some(dice)),
            16 => Self::RefuseLogin(some(dice)),
            17 => Self::Partial(some(dice)),
            18 => Self::SlowConsumers(some(dice)),
            19 => match dice.below(3) {
                0 => Self::Sleep(some(dice)),
                1 => Self::Jump(some(dice) * 10),
                _ => Self::Hide(some(dice)),
            },
            20 => Self::Offline(some(dice)),
            21 => Self::Visible,
            22..24 => Self::Reconnect,
            24 if dice.below(2) == 0 => Self::Drain(dice.within(Duration::from_secs(8))),
            _ if PANICS => Self::Panic(Place::ALL[dice.below(Place::ALL.len() as u64) as usize]),
            _ => Self::Reconnect,
        }
    }
}

impl Door {
    fn any(dice: &mut Dice) -> Self {
        match dice.below(5) {
            0 => Self::Refused,
            1 => Self::Silent,
            2 => Self::Busy(1 + dice.below(8)),
            3 => Self::TooMany,
            _ => Self::Revolving,
        }
    }
}

/// A life's faults, each with the time at which it strikes, and the traits of the client.
#[derive(Clone)]
pub struct Plan {
    pub seed: u64,
    /// Whether the platform can ping.
    pub pings: bool,
    pub faults: Vec<(Duration, Fault)>,
}

/// How long faults strike.
pub const TROUBLE: Duration = Duration::from_secs(30);

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let pings = dice.below(3) > 0;
        let count = 1 + dice.below(6);
        let mut faults: Vec<_> = (0..count).map(|_| (dice.within(TROUBLE), Fault::any(&mut dice))).collect();
        // Two at the same moment are as good as any others.
        faults.sort_by_key(|(at, _)| *at);
        Self { seed, pings, faults }
    }

    /// The same with a protocol that does not panic.
    #[cfg(feature = "record")]
    pub fn without_panics(mut self) -> Self {
        self.faults.retain(|(_, fault)| !matches!(fault, Fault::Panic(_)));
        self
    }

    /// The same without one fault.
    pub fn without(&self, index: usize) -> Self {
        let mut fewer = self.clone();
        fewer.faults.remove(index);
        fewer
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {}", self.seed, if self.pings { "with pings" } else { "without pings" })?;
        for (at, fault) in &self.faults {
            write!(f, "\n  {at:>9.3?}  {fault:?}")?;
        }
        Ok(())
    }
}
