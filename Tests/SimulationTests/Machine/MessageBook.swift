import GatepostModel
import GatepostOutbox

/// Every message of a world, as the witness has seen it written and as the workers have handled it.
struct MessageBook {
    private(set) var byID: [MessageID: MessageModel] = [:]
    private var ordered: [MessageModel] = []
    private var replaysByID: [MessageID: [MessageModel]] = [:]

    /// The newest, in the order in which they were written.
    func newest(_ count: Int) -> ArraySlice<MessageModel> { ordered.suffix(count) }

    /// Messages that owe one anew.
    func replays(of message: MessageID) -> [MessageModel] { replaysByID[message] ?? [] }

    /// The message of this id, which a worker may have claimed before the witness was read.
    mutating func message(_ id: MessageID, app: AppID, kind: String) -> MessageModel {
        if let known = byID[id] { return known }
        let message = MessageModel(id, app: app, kind: kind)
        byID[id] = message
        return message
    }

    /// Takes note that a message was written, the next one in order.
    mutating func wasOwed(_ message: MessageModel, replayOf: MessageID?) {
        ordered.append(message)
        if let replayOf { replaysByID[replayOf, default: []].append(message) }
    }
}

/// One message as the model knows it.
final class MessageModel {
    let id: MessageID
    let app: AppID
    let kind: String
    var isHeld = false
    private(set) var outcome: String?
    private(set) var endedAt: Instant?
    var attempts: [AttemptModel] = []
    /// What the first attempt carried: each further one has to carry the same.
    var content: MessageContent?

    init(_ id: MessageID, app: AppID, kind: String) {
        (self.id, self.app, self.kind) = (id, app, kind)
    }

    var hasEnded: Bool { endedAt != nil }
    var isForSomebody: Bool { kind.hasPrefix("mail.") || kind.hasPrefix("webhook.") }
    var hasFailed: Bool { outcome.flatMap(MessageEnd.init)?.isFailure ?? false }

    func end(_ outcome: String, at instant: Instant) {
        (self.outcome, endedAt) = (outcome, instant)
    }
}

/// One attempt as the scripted wire has seen it.
final class AttemptModel {
    let startedAt: Instant
    let leaseEnd: Instant
    /// Nil while it runs.
    var outcome: AttemptOutcome?
    /// Whether its worker died, or nobody may hope any more that its result is settled.
    var isLost = false

    init(startedAt: Instant, leaseEnd: Instant) {
        (self.startedAt, self.leaseEnd) = (startedAt, leaseEnd)
    }
}

/// What a receiver recognises a message by.
struct MessageContent: Hashable {
    let id: MessageID
    let flow: FlowID?
    let payload: String
    let createdAt: Instant

    init(_ message: ClaimedMessage) {
        (id, flow, payload, createdAt) = (message.id, message.flowID, message.payload, message.createdAt)
    }
}
