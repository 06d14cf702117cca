/// How long keys are kept, and how often they are asked for.
public struct KeyPolicy: Sendable, Hashable {
    /// How old the keys may be while Gatepost answers: how late, at most, an emergency revocation is heard of.
    ///
    /// Gatepost asks for five minutes at most; a new key is published an hour before it signs.
    public var ageMax: Duration = .seconds(300)
    /// How old they may be while Gatepost does not answer.
    ///
    /// An hour is the longest life of a token: past it, no token that was given out before the trouble is valid anyway.
    public var staleAgeMax: Duration = .seconds(3600)
    /// The least time between two requests for keys, whatever tokens come in.
    public var floor: Duration = .seconds(2)

    /// The usual.
    public init() {}

    /// From which age on the keys are asked for beside the work, so that nobody waits for them.
    var refreshAge: Duration { ageMax * 4 / 5 }
    /// How long ago a try must have failed for the next one to be waited for again.
    static let failureMemory: Duration = .seconds(30)
    /// How long a token waits whose key is not known: Gatepost's own servers hear of a new key within 5 seconds.
    static let patience: Duration = .seconds(8)
    /// How long a key must have been seen for its absence to mean that it is gone: twice those 5 seconds.
    static let newKeyAge: Duration = .seconds(10)
    /// How many such tokens wait at once; what comes on top is told to come again.
    static let waitingMax = 100
    /// How long before keys were asked for a token must have been issued for them to have its key, if it has one.
    ///
    /// The five seconds of Gatepost's servers, and the thirty by which two clocks may differ.
    static let settlingSeconds: Int64 = 35
}
