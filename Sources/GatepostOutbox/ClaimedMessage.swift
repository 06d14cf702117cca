package import GatepostModel
import GatepostStore
import Postgres

/// A message that a worker holds until its lease ends.
package struct ClaimedMessage: Sendable {
    package let app: AppID
    package let id: MessageID
    package let kind: MessageKind
    package let lane: Lane
    package let route: String
    package let flowID: FlowID?
    package let userID: UserID?
    package let payload: String
    package let trace: String?
    package let createdAt: Instant
    package let expiresAt: Instant
    /// When it became ready, before this claim.
    package let readyAt: Instant
    /// The end of this claim; from then on another worker may claim it.
    package let leaseEnd: Instant
    /// Grows with every claim: the fence that keeps a worker that was too slow from settling.
    package let claimNumber: Int32
    /// Attempts before this claim that reached the network.
    package let attemptCount: Int32

    init(_ row: PostgresRow, leaseEnd: Instant) throws {
        app = try row.get("app_id")
        id = try row.get("id")
        kind = MessageKind(rawValue: try row.get("kind"))
        lane = try row.get("lane")
        route = try row.get("route")
        flowID = try row.get("flow_id")
        userID = try row.get("user_id")
        payload = try row.get("payload")
        trace = try row.get("trace")
        createdAt = try row.get("created_at")
        expiresAt = try row.get("expires_at")
        readyAt = try row.get("ready_at")
        self.leaseEnd = leaseEnd
        claimNumber = try row.get("claim_number")
        attemptCount = try row.get("attempt_count")
    }
}
