import GatepostFlows
import GatepostModel
import GatepostStore
import TestSupport

/// A person of one app as the model knows them.
final class Person {
    let email: EmailAddress
    /// Known once something has named it.
    var id: UserID?
    /// Whether there is a row: from the first sign-up on.
    var exists = false
    var isVerified = false
    var isDeactivated = false
    var epoch = 1
    /// The password that signs in; nil before the address is proved.
    var password: Secret?
    var signUps: [SignUpModel] = []
    var codes: [CodeModel] = []
    var sessions: [SessionModel] = []
    var mailLimit = LimitModel(tries: 5, seconds: 3600)
    var passwordLimit = LimitModel(tries: 20, seconds: 900)

    var wrongInARow = StreakModel(tries: 100, seconds: 30 * 86400)

    init(_ email: EmailAddress) {
        self.email = email
    }

    /// Counts a try to prove who they are, by whatever factor; whether it was allowed.
    func spendProof(at now: Instant) -> Bool {
        passwordLimit.spend(at: now) && wrongInARow.spend(at: now)
    }

    /// The try was right.
    func refundProof() {
        passwordLimit.refund()
        wrongInARow.end()
    }

    /// Raises the epoch, which kills all that was made before.
    func raiseEpoch() { epoch += 1 }

    /// Ends sessions, each once, and says how many that were.
    func endSessions(where condition: (SessionModel) -> Bool = { _ in true }) -> Int {
        let ending = sessions.filter { !$0.isEnded && condition($0) }
        for session in ending { session.isEnded = true }
        return ending.count
    }

    /// Refuses what still waits: a newer sign-up of the address is begun.
    func supersedeSignUps() {
        for signUp in signUps where signUp.state == .pending { signUp.state = .superseded }
    }

    /// Refuses what still waits and could open this account.
    func refuseSignUps() {
        for signUp in signUps where signUp.state == .pending && signUp.hasUser { signUp.state = .deactivated }
    }

    /// Forgets what no step looks at any more, so that a long run does not grow slow.
    func forgetOld() {
        if signUps.count > 6 { signUps.removeFirst(signUps.count - 6) }
        if codes.count > 6 { codes.removeFirst(codes.count - 6) }
        let ended = sessions.count { $0.isEnded }
        if ended > 8, let old = sessions.firstIndex(where: \.isEnded) { sessions.remove(at: old) }
    }
}

/// A sign-up, and whether its mail has arrived.
final class SignUpModel {
    enum State { case pending, passed, superseded, exhausted, deactivated }

    let started: SignUpFlow.Started
    let secrets: FlowSecrets
    let password: Secret
    /// Whether it can open an account: not if the address had one already.
    let hasUser: Bool
    let epoch: Int
    var state = State.pending
    var wrongCodes = 0
    var hasMail = false

    init(_ started: SignUpFlow.Started, _ secrets: FlowSecrets, password: Secret, of person: Person) {
        (self.started, self.secrets, self.password) = (started, secrets, password)
        hasUser = !person.isVerified && !person.isDeactivated
        epoch = person.epoch
    }

    /// Whether its link and its code open the account at a moment.
    func stands(for person: Person, at now: Instant) -> Bool {
        state == .pending && started.expiresAt > now && hasUser && !person.isVerified && !person.isDeactivated
            && epoch == person.epoch
    }
}

/// An authorization code.
final class CodeModel {
    let code: OneTimeToken
    let epoch: Int
    let expiresAt: Instant
    /// What it was exchanged for.
    var session: SessionModel?
    /// Whether its row is gone, so that a second use is not recognised any more.
    var isDeleted = false

    init(_ code: OneTimeToken, epoch: Int, expiresAt: Instant) {
        (self.code, self.epoch, self.expiresAt) = (code, epoch, expiresAt)
    }

    func stands(for person: Person, at now: Instant) -> Bool {
        session == nil && !isDeleted && expiresAt > now && !person.isDeactivated && epoch == person.epoch
    }
}

/// A session and its newest tokens.
final class SessionModel {
    let epoch: Int
    let expiresAt: Instant
    var idleExpiresAt: Instant
    var isEnded = false
    var token: RefreshModel
    var accessToken: Secret
    var accessTokenExpiresAt: Instant

    init(_ answer: TokenAnswer, epoch: Int, in app: SimulatedApp, at now: Instant) {
        self.epoch = epoch
        expiresAt = now + app.scope.settings.sessionLife
        idleExpiresAt = now + app.scope.settings.refreshIdleLife
        token = RefreshModel(answer.refreshToken, expiresAt: idleExpiresAt, previous: nil)
        accessToken = answer.accessToken
        accessTokenExpiresAt = now + .seconds(answer.expiresIn)
    }

    func isAlive(for person: Person, at now: Instant) -> Bool {
        !isEnded && expiresAt > now && idleExpiresAt > now && !person.isDeactivated && epoch == person.epoch
    }
}

/// A refresh token in its family.
final class RefreshModel {
    let token: OneTimeToken
    let expiresAt: Instant
    var usedAt: Instant?
    var successor: RefreshModel?
    var isSealed = false
    private(set) var previous: RefreshModel?

    init(_ token: OneTimeToken, expiresAt: Instant, previous: RefreshModel?) {
        (self.token, self.expiresAt, self.previous) = (token, expiresAt, previous)
        // Two generations are enough for every step; a chain would keep them all.
        previous?.previous?.previous = nil
    }
}

/// Tries counted in fixed windows.
struct LimitModel {
    let tries: Int
    let seconds: Int64
    private var window: Int64 = 0
    private var count = 0

    init(tries: Int, seconds: Int64) {
        (self.tries, self.seconds) = (tries, seconds)
    }

    /// Counts a try; whether it was allowed.
    mutating func spend(at now: Instant) -> Bool {
        let current = now.seconds / seconds
        if current != window { (window, count) = (current, 0) }
        count += 1
        return count <= tries
    }

    /// Gives a try back.
    mutating func refund() { count -= 1 }
}

/// Tries counted in a row, and forgotten when none was counted for long.
struct StreakModel {
    let tries: Int
    let seconds: Int64
    private var endsAt = Instant(microseconds: 0)
    private var count = 0

    init(tries: Int, seconds: Int64) {
        (self.tries, self.seconds) = (tries, seconds)
    }

    /// Counts a try; whether it was allowed.
    mutating func spend(at now: Instant) -> Bool {
        if endsAt <= now { count = 0 }
        count += 1
        if count <= tries { endsAt = now + .seconds(seconds) }
        return count <= tries
    }

    /// Forgets all.
    mutating func end() { count = 0 }
}
