import FoundationEssentials
package import GatepostModel

/// `webhook.notice`: tells one endpoint of an app what happened.
///
/// Owed by the statement of the change itself, one for each endpoint that is enabled and wants to know, so nothing is
/// owed where nobody listens. The payload holds uuids, because statements make it; the text form of the ids and the
/// secrets that sign belong to the moment of sending.
package struct WebhookNotice: Sendable {
    package static let kind = MessageKind(rawValue: "webhook.notice")

    /// Where it goes.
    package let endpoint: WebhookEndpointID
    /// The event's name, as `WebhookEventType` has it.
    package let type: String
    /// When it happened, in RFC 3339.
    package let timestamp: String
    /// Whom it is about; each notice is about a user.
    package let user: UserID
    package let email: String?
    package let session: SessionID?
    package let client: ClientID?
    /// Why a session ended.
    package let reason: String?

    /// Reads a claimed message; nil if its route or payload is not this kind's.
    package init?(_ message: ClaimedMessage) {
        guard message.route.hasPrefix(OutboxMessage.webhookRoutePrefix),
            let endpoint = Self.id(
                String(message.route.dropFirst(OutboxMessage.webhookRoutePrefix.count)),
                as: WebhookEndpointID.self),
            let read = try? JSONDecoder().decode(Payload.self, from: Data(message.payload.utf8)),
            let user = Self.id(read.data.userID, as: UserID.self)
        else { return nil }
        (self.endpoint, self.user) = (endpoint, user)
        (type, timestamp, email, reason) = (read.type, read.timestamp, read.data.email, read.data.reason)
        session = Self.id(read.data.sessionID)
        client = Self.id(read.data.clientID)
    }

    private static func id<Kind>(_ text: String?, as type: TypedID<Kind>.Type = TypedID<Kind>.self) -> TypedID<Kind>? {
        text.flatMap(UUIDBits.init(postgresText:)).map(TypedID<Kind>.init(uuid:))
    }

    /// What a statement wrote.
    private struct Payload: Decodable {
        let type: String
        let timestamp: String
        let data: Details
    }

    private struct Details: Decodable {
        let userID: String
        let email: String?
        let sessionID: String?
        let clientID: String?
        let reason: String?

        enum CodingKeys: String, CodingKey {
            case email, reason
            case userID = "user_id"
            case sessionID = "session_id"
            case clientID = "client_id"
        }
    }
}
