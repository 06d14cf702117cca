package import GatepostModel

/// Proof that an app has been resolved: which app a statement is for, carried by value.
///
/// Only the store makes one, from a row it has read, so code that holds a scope need not ask whether the app
/// exists. Every scoped statement runs under row-level security for exactly this app.
package struct AppScope: Sendable, Hashable {
    package let appID: AppID
    package let settings: AppSettings

    init(appID: AppID, settings: AppSettings) {
        self.appID = appID
        self.settings = settings
    }
}

extension AppScope {
    /// The most that a browser stays signed in to the hosted pages; for admins no longer than a working day.
    package var hostedSessionLife: Duration {
        appID == .gatepost ? min(settings.sessionLife, Lifetimes.consoleSession) : settings.sessionLife
    }

    /// How long a browser stays signed in to the hosted pages without being used; for admins half an hour.
    package var hostedIdleLife: Duration {
        appID == .gatepost ? min(settings.refreshIdleLife, Lifetimes.consoleIdle) : settings.refreshIdleLife
    }
}
