package import GatepostModel
package import GatepostStore

/// What an admin wants to be different about an app.
package struct AppChange: Sendable {
    /// Nil keeps the old one.
    package let name: String?
    /// What is given is set, everything else stays.
    package let settings: AppSettings
    /// What goes back to its default, by its name in JSON.
    package let clearedSettings: [String]

    /// Gathers what a request names.
    package init(name: String? = nil, settings: AppSettings = AppSettings(), clearedSettings: [String] = []) {
        (self.name, self.settings, self.clearedSettings) = (name, settings, clearedSettings)
    }
}

/// What admins do with apps: list them, look at one, create, change, suspend and resume one.
package struct AdminAppFlow: Sendable {
    let database: Database
    let clock: any WallClock
    let random: any RandomSource
    let keys: KeyRing

    /// Wires the flow.
    package init(database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing) {
        (self.database, self.clock, self.random, self.keys) = (database, clock, random, keys)
    }

    /// One page of the apps that somebody may read, oldest first.
    package func apps(
        visibleTo principal: AdminPrincipal, after cursor: PageCursor?, limit: Int
    ) async throws -> [AppRecord] {
        let only =
            principal.may(.appsRead, in: nil)
            ? nil : principal.grants.filter { $0.role.permissions.contains(.appsRead) }.compactMap(\.app)
        return try await database.apps(only: only, after: cursor, limit: limit)
    }

    /// Creates an app with its first signing key, in one transaction.
    package func create(named name: String, for request: AdminRequest) async throws -> AdminOutcome<AppID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        let app: AppID = occasion.id()
        let key = try SigningKeyMaterial.makeES256(in: app, id: occasion.id(), keys: keys, at: occasion.now)
        guard let scope = try await database.scope(of: .gatepost) else { return .refused(Refusal(.appNotFound)) }
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, app, occasion) {
                try await transaction.createApp(app, named: name, at: occasion.now) { batch in
                    batch.insertActiveSigningKey(key)
                    batch.record(occasion.event(.appCreated, by: request.actor))
                }
                return nil
            }
        }
    }

    /// Changes an app's name and settings; the event says what was and what is.
    ///
    /// Settings are checked here, so that no reader need look again. A change that changes nothing is no event.
    package func change(
        _ change: AppChange, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<AppID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, scope.appID, occasion) {
                if let field = change.settings.fieldOutOfBounds {
                    return Refusal(.invalidRequest, detail: "settings.\(field) is out of its bounds.")
                }
                guard
                    scope.appID != .gatepost || !change.settings.laysAdminsOpen
                        || request.principal.identity == .operator
                else {
                    return Refusal(
                        .conflict,
                        detail: "Admins have a second factor, and get their mails: only an operator changes that.")
                }
                guard let before = try await transaction.lockApp(),
                    let after = try await transaction.changeApp(
                        name: change.name, settings: change.settings, cleared: change.clearedSettings)
                else { return Refusal(.appNotFound) }
                var event = occasion.event(.appChanged, by: request.actor)
                event.details = before.scope.settings.differences(to: after.scope.settings)
                if before.name != after.name {
                    event.details["name"] = after.name
                    event.details["name_before"] = before.name
                }
                if before.scope.settings.capturesMails, !after.scope.settings.capturesMails {
                    try await transaction.batch { $0.deleteCapturedMails() }
                }
                if !event.details.isEmpty { try await transaction.batch { [event] batch in batch.record(event) } }
                return nil
            }
        }
    }

    /// Suspends an app: from here on every route of it refuses, and what it owes is not sent.
    ///
    /// Nothing is ended, so that resuming gives everything back: sessions go on where their limits allow it. What falls
    /// due meanwhile ends as `suppressed`. The built-in app is not suspended: nobody could resume anything.
    package func suspend(
        note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<AppID> {
        try await setSuspended(true, .appSuspended, note: note, for: request, in: scope)
    }

    /// Lets a suspended app go on.
    package func resume(
        note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<AppID> {
        try await setSuspended(false, .appResumed, note: note, for: request, in: scope)
    }

    private func setSuspended(
        _ isSuspended: Bool, _ kind: AuditEvent.Kind, note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<AppID> {
        let occasion = Occasion(now: clock.now, origin: request.origin, random: random)
        return try await database.transaction(in: scope) { transaction in
            try await transaction.once(request, scope.appID, occasion) {
                guard scope.appID != .gatepost else {
                    return Refusal(.conflict, detail: "The built-in app is what apps are resumed with.")
                }
                guard try await transaction.setSuspended(isSuspended, at: occasion.now) else { return nil }
                var event = occasion.event(kind, by: request.actor)
                event.details["note"] = note
                try await transaction.batch { [event] batch in batch.record(event) }
                return nil
            }
        }
    }
}

extension AppSettings {
    /// Whether settings of the built-in app take away what only the admins themselves have: their second factor, and
    /// the mails that let them in.
    fileprivate var laysAdminsOpen: Bool { requireSecondFactor == false || captureMails == true }
}
