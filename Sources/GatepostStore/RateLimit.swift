/// How often something may be tried in a stretch of time.
package struct RateLimit: Sendable, Hashable {
    /// When tries are forgotten.
    package enum Memory: Sendable, Hashable {
        /// All at once, when the window ends; windows are aligned to the epoch.
        case window
        /// All at once, when none was counted for that long, or one succeeded.
        case streak
    }

    /// What the limit is called, in answers too.
    package let name: String
    /// How many tries it allows.
    package let tries: Int32
    /// How long a try is remembered at most, or within a streak at least.
    package let window: Duration
    /// When tries are forgotten.
    package let memory: Memory

    /// Names a limit; the name is part of what is counted.
    package init(_ name: String, tries: Int32, per window: Duration, memory: Memory = .window) {
        (self.name, self.tries, self.window, self.memory) = (name, tries, window, memory)
    }
}

/// A limit for one of those whom it bounds: an address, a network, an app.
package struct RateBudget: Sendable, Hashable {
    package let limit: RateLimit
    package let subject: String

    /// Says whose tries are counted.
    package init(_ limit: RateLimit, for subject: String) {
        (self.limit, self.subject) = (limit, subject)
    }
}

/// What one try spends, all in one statement.
///
/// The wide budgets are spent only by a try that the narrow ones allow. Without this, one attacker who is refused at
/// his own budget would use up, with what is refused, the one that an address has for everybody.
package struct RateBudgets: Sendable {
    /// Of whoever tries: a network, a device, a network's tries at one address.
    package let narrow: [RateBudget]
    /// Of what is tried at: an address, an app.
    package let wide: [RateBudget]

    /// Lists budgets, each with a name of its own.
    package init(narrow: [RateBudget], wide: [RateBudget] = []) {
        (self.narrow, self.wide) = (narrow, wide)
    }
}

/// What one more try came to.
package struct RateLimitVerdict: Sendable, Hashable {
    /// The limit that refuses, for the longest time if there are several; else the first one.
    package let limit: RateLimit
    /// How many more tries it allows.
    package let remaining: Int32
    /// When it allows all of its tries again.
    package let resetsAfter: Duration
    package let isAllowed: Bool
    /// Whether it is the first try that the limit refuses: for what is written down once and not for each.
    package let isFirstRefusal: Bool

    /// Says what a try came to.
    package init(
        _ limit: RateLimit, remaining: Int32, resetsAfter: Duration, isAllowed: Bool, isFirstRefusal: Bool = false
    ) {
        (self.limit, self.remaining, self.resetsAfter, self.isAllowed) = (limit, remaining, resetsAfter, isAllowed)
        self.isFirstRefusal = isFirstRefusal
    }
}
