import Foundation
import GatepostModel
import Synchronization
import TestSupport

/// What receives notices, how it misbehaves, and what it received.
///
/// A notice counts as taken unless the answer says that it is not: who breaks off has read it all the same.
final class NoticeSide: Sendable {
    /// What is answered.
    enum Mood: CaseIterable, Sendable {
        case fails
        case isBusy
        case asksForTime
        case drops
        case stalls
        case speaksNonsense
        case drips

        /// Whether the answer says that the notice was not taken.
        var refuses: Bool { [.fails, .isBusy, .asksForTime].contains(self) }
    }

    private struct State: Sendable {
        var mood: Mood?
        var receipts: [Receipt] = []
    }

    /// What a notice says.
    private struct Body: Decodable {
        struct Details: Decodable {
            let userID: String
            let sessionID: String?
            let reason: String?

            enum CodingKeys: String, CodingKey {
                case userID = "user_id"
                case sessionID = "session_id"
                case reason
            }
        }

        let type: String
        let data: Details
    }

    private let state = Mutex(State())
    private let successes: Successes

    init(_ successes: Successes) {
        self.successes = successes
    }

    /// Changes the mood; nil for a receiver that works.
    func set(_ mood: Mood?) { state.withLock { $0.mood = mood } }

    /// What came so far.
    var receipts: [Receipt] { state.withLock { $0.receipts } }

    /// Takes a request and says how it is answered.
    func answer(_ request: HTTPSink.Request) -> [HTTPSink.Step] {
        let moment = successes.now
        var receipt = Self.receipt(request, at: moment)
        let mood = state.withLock { state in
            receipt.isTaken = !(state.mood?.refuses ?? false)
            state.receipts.append(receipt)
            return state.mood
        }
        switch mood {
        case nil:
            successes.saw(.notice, begunAt: moment)
            return HTTPSink.answer(204)
        case .fails: return HTTPSink.answer(500)
        case .isBusy: return HTTPSink.answer(429, headers: ["Retry-After: 2"])
        case .asksForTime: return HTTPSink.answer(503, headers: ["Retry-After: 1"])
        case .drops: return [.close]
        case .stalls: return [.stall]
        case .speaksNonsense: return [.text("220 this is no HTTP\r\n"), .close]
        case .drips: return [.endless("H", every: .milliseconds(500))]
        }
    }

    private static func receipt(_ request: HTTPSink.Request, at moment: Double) -> Receipt {
        let id = request.header("webhook-id") ?? ""
        let body = try? JSONDecoder().decode(Body.self, from: Data(request.body))
        return Receipt(
            wire: .notice, message: MessageID(id).map { hex($0.uuid.bytes) } ?? id, to: request.target,
            type: body?.type ?? "unreadable", user: hex(UserID(body?.data.userID ?? "")?.uuid.bytes),
            session: hex(SessionID(body?.data.sessionID ?? "")?.uuid.bytes), reason: body?.data.reason ?? "",
            at: moment, stampedAt: Double(request.header("webhook-timestamp") ?? "0"))
    }
}
