import Foundation

/// What Gatepost told an app, verified.
///
/// The same notice may come again, with the same id: who has seen it answers 2xx and does nothing more.
public struct WebhookNotice: Sendable {
    /// The notice, `msg_…`; the same at every try.
    public let id: String
    /// What happened, such as `user.created`; new types may come.
    public let type: String
    /// When it happened, RFC 3339 in UTC.
    public let timestamp: String
    /// The app, and what else the type has: whom it is about, which session, why.
    public let app: String?
    public let user: String?
    public let email: String?
    public let session: String?
    public let client: String?
    public let reason: String?

    private let body: [UInt8]

    private struct Document: Decodable {
        let type: String
        let timestamp: String
        let data: Details
    }

    private struct Details: Decodable {
        let app_id: String?
        let user_id: String?
        let email: String?
        let session_id: String?
        let client_id: String?
        let reason: String?
    }

    /// Reads a body whose signature was good; nil for what is no notice.
    init?(id: String, body: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(body)) else { return nil }
        (self.id, self.body, type, timestamp) = (id, body, document.type, document.timestamp)
        let data = document.data
        (app, user, email) = (data.app_id, data.user_id, data.email)
        (session, client, reason) = (data.session_id, data.client_id, data.reason)
    }

    private struct Envelope<Data: Decodable>: Decodable {
        let data: Data
    }

    /// Reads `data` with fields that are not above.
    public func data<Content: Decodable>(as type: Content.Type = Content.self) throws -> Content {
        try JSONDecoder().decode(Envelope<Content>.self, from: Data(body)).data
    }
}
