import GatepostModel
import GatepostStore

/// That somebody wants something done to a message: who, from where, why, and under which name of theirs.
package struct DeliveryRequest: Sendable {
    let actor: AuditEvent.Actor
    let origin: RequestOrigin
    let idempotencyKey: IdempotencyKey?
    /// Why, in their own words, for the audit trail.
    let note: String?

    /// By an admin or a program, over the admin API.
    package init(_ request: AdminRequest, note: String?) {
        (actor, origin, self.note) = (request.actor, request.origin, note)
        idempotencyKey = request.idempotencyKey
    }

    /// By whoever sits at the command line.
    package init(byOperator note: String?) {
        (actor, origin, idempotencyKey, self.note) = (.operator, .none, nil, note)
    }

    /// The event of what was done to a message.
    func event(
        _ kind: AuditEvent.Kind, _ message: MessageID, userID: UserID?, flowID: FlowID?, replay: MessageID? = nil,
        _ occasion: Occasion
    ) -> AuditEvent {
        var event = occasion.event(kind, by: actor, userID: userID, flowID: flowID)
        event.details["message"] = message.description
        event.details["replay"] = replay?.description
        event.details["note"] = note
        return event
    }
}
