package import GatepostModel
package import GatepostStore

/// Creates apps and their clients, for an operator.
package struct AppFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// A setting is outside its bounds.
    package struct SettingOutOfBounds: Error {
        /// Its name in JSON.
        package let field: String
    }

    /// Creates an app with its first signing key, in one transaction: there is no moment without a key.
    ///
    /// - Parameters:
    ///   - name: 1 to 100 characters.
    ///   - settings: What the app decides for itself; checked here, so that no reader need look again.
    /// - Returns: The app's id.
    /// - Throws: `SettingOutOfBounds` before anything is written, or `PostgresError`.
    package func createApp(named name: String, settings: AppSettings = AppSettings()) async throws -> AppID {
        if let field = settings.fieldOutOfBounds { throw SettingOutOfBounds(field: field) }
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let app: AppID = occasion.id()
        let key = try SigningKeyMaterial.makeES256(in: app, id: occasion.id(), keys: keys, at: occasion.now)
        try await database.createApp(app, named: name, settings: settings, at: occasion.now) { batch in
            batch.insertActiveSigningKey(key)
            batch.record(occasion.event(.appCreated, by: .operator))
        }
        return app
    }

    /// Sets how long an app keeps its history; nil leaves as it is.
    ///
    /// What is past a shorter time is hidden at once, within the second that a node remembers an app for.
    ///
    /// - Parameters:
    ///   - deliveryDays: How many days the ledger goes back.
    ///   - auditDays: How many days the audit trail goes back.
    ///   - scope: The app.
    /// - Throws: `SettingOutOfBounds` before anything is written, or `PostgresError`.
    package func keepHistory(deliveryDays: Int64?, auditDays: Int64?, in scope: AppScope) async throws {
        var change = AppSettings()
        // Days that no setting can have are refused below and not multiplied.
        let longest: Int64 = 1_000_000
        change.deliveryHistorySeconds = deliveryDays.map { min(max($0, 0), longest) * 86400 }
        change.auditHistorySeconds = auditDays.map { min(max($0, 0), longest) * 86400 }
        if let field = change.fieldOutOfBounds { throw SettingOutOfBounds(field: field) }
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        var event = occasion.event(.appChanged, by: .operator)
        event.details["delivery_history_days"] = deliveryDays.map { "\($0)" }
        event.details["audit_history_days"] = auditDays.map { "\($0)" }
        try await database.transaction(in: scope) { [change, event] transaction in
            try await transaction.changeSettings(change)
            try await transaction.batch { $0.record(event) }
        }
    }

    /// Sets those of the app's limits on tries and mails that are given; see `AppSettings`.
    ///
    /// - Throws: `SettingOutOfBounds` before anything is written, or `PostgresError`.
    package func setLimits(_ change: AppSettings, in scope: AppScope) async throws {
        if let field = change.fieldOutOfBounds { throw SettingOutOfBounds(field: field) }
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        var event = occasion.event(.appChanged, by: .operator)
        event.details["client_tries_per_quarter_hour"] = change.clientTriesPerQuarterHour.map { "\($0)" }
        event.details["tries_per_quarter_hour"] = change.triesPerQuarterHour.map { "\($0)" }
        event.details["recipient_mails_per_hour"] = change.recipientMailsPerHour.map { "\($0)" }
        event.details["client_mails_per_hour"] = change.clientMailsPerHour.map { "\($0)" }
        event.details["mails_per_hour"] = change.mailsPerHour.map { "\($0)" }
        try await database.transaction(in: scope) { [event] transaction in
            try await transaction.changeSettings(change)
            try await transaction.batch { $0.record(event) }
        }
    }

    /// Registers a client of an app and where it may be sent back to; the app gets the key that its ID tokens need.
    package func createClient(
        named name: String, redirectURIs: [RedirectURI], idTokenAlgorithm: SigningAlgorithm, in scope: AppScope
    ) async throws -> ClientID {
        let occasion = Occasion(now: clock.now, origin: .none, random: random)
        let client: ClientID = occasion.id()
        let missingKey = try await MissingSigningKey.make(
            for: idTokenAlgorithm, in: scope, on: database, keys: keys, occasion)
        try await database.transaction(in: scope) { transaction in
            try await missingKey?.insert(in: transaction, by: .operator, occasion)
            try await transaction.batch { batch in
                batch.insertClient(
                    client, named: name, idTokenAlgorithm: idTokenAlgorithm, redirectURIs: redirectURIs,
                    at: occasion.now)
                batch.record(occasion.event(.clientCreated, by: .operator, clientID: client))
            }
        }
        return client
    }
}
