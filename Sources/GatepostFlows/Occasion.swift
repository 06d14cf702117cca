import GatepostModel
import GatepostStore

/// One request's moment: when it is, where it came from, and the chance for the ids that it makes.
///
/// A flow reads the clock once, here, and passes the moment to every statement.
struct Occasion: Sendable {
    let now: Instant
    let origin: RequestOrigin
    let random: any RandomSource

    /// A new identifier of this moment.
    func id<Kind>(_ kind: TypedID<Kind>.Type = TypedID<Kind>.self) -> TypedID<Kind> {
        .make(at: now, random: random)
    }

    /// An audit event of this moment.
    func event(
        _ kind: AuditEvent.Kind, by actor: AuditEvent.Actor, userID: UserID? = nil, clientID: ClientID? = nil,
        sessionID: SessionID? = nil, flowID: FlowID? = nil, reason: String? = nil
    ) -> AuditEvent {
        AuditEvent(
            kind, by: actor, id: id(), at: now, origin: origin, userID: userID, clientID: clientID,
            sessionID: sessionID, flowID: flowID, reason: reason)
    }
}
