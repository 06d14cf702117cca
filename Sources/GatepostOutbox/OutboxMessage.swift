package import GatepostModel

/// Something a transaction owes to the outside world; its app is that of the transaction.
///
/// It names what it is about, a flow or a user, and never holds a token or a rendered mail: secrets are derived when
/// it is sent, so no dump and no log ever has a usable one.
package struct OutboxMessage: Sendable {
    /// The route of messages that a worker settles in Postgres alone.
    package static let localRoute = "local"
    /// The route of mail.
    package static let mailRoute = "mail"
    /// The beginning of a webhook endpoint's route; its uuid follows, so that endpoints are told apart.
    package static let webhookRoutePrefix = "webhook "

    package let id: MessageID
    /// Which handler settles it.
    package let kind: MessageKind
    /// How urgent it is.
    package let lane: Lane
    /// The mail route or webhook endpoint it goes through.
    package let route: String
    /// When it was owed; it is due at once.
    package let createdAt: Instant
    /// From here on nobody attempts it: it ends as `expired`.
    package let expiresAt: Instant
    package var flowID: FlowID?
    package var userID: UserID?
    /// Keyed hash of the address, by which the ledger is searched.
    package var recipientHash: [UInt8]?
    /// What else the handler needs, as JSON.
    package var payload = "{}"
    /// Merges with a message of the same key that nobody has claimed yet.
    package var uniqueKey: String?

    /// Describes a message that is due at once; what it concerns is set afterwards.
    package init(
        id: MessageID, kind: MessageKind, lane: Lane, route: String, createdAt: Instant, expiresAt: Instant
    ) {
        (self.id, self.kind, self.lane, self.route) = (id, kind, lane, route)
        (self.createdAt, self.expiresAt) = (createdAt, expiresAt)
    }
}
