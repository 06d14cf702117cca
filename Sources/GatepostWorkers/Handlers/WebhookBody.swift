import FoundationEssentials
import GatepostModel
import GatepostOutbox

/// A notice as its receiver reads it: `type`, `timestamp`, `data` (Standard Webhooks), ids in their text form.
///
/// Made anew at each try, and byte for byte the same: the keys are sorted and every value is the message's own.
struct WebhookBody: Encodable {
    private let type: String
    private let timestamp: String
    private let data: Details

    private struct Details: Encodable {
        let appID: AppID
        let userID: UserID
        let email: String?
        let sessionID: SessionID?
        let clientID: ClientID?
        let reason: String?

        enum CodingKeys: String, CodingKey {
            case email, reason
            case appID = "app_id"
            case userID = "user_id"
            case sessionID = "session_id"
            case clientID = "client_id"
        }
    }

    init(_ notice: WebhookNotice, in app: AppID) {
        (type, timestamp) = (notice.type, notice.timestamp)
        data = Details(
            appID: app, userID: notice.user, email: notice.email, sessionID: notice.session, clientID: notice.client,
            reason: notice.reason)
    }

    /// The bytes that are signed and sent.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }
}
