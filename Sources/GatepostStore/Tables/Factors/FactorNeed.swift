package import GatepostModel
import Postgres

/// Who has to prove a second factor, as conditions on user `u`: asked in the statement that signs somebody in, and in
/// each that reads a session, so that no summary of it can be old.
extension AppScope {
    /// That the app, or a role of user `u`, requires a second factor.
    var requiresFactor: SQL {
        guard !settings.requiresSecondFactor(in: appID) else { return "true" }
        return """
            exists (select from user_roles as m
                      join roles as r on r.app_id = m.app_id and r.id = m.role_id and r.requires_factor
                     where m.app_id = u.app_id and m.user_id = u.id)
            """
    }

    /// That user `u` is asked for a second factor: it is required, or they have one.
    var asksForFactor: SQL {
        """
        (\(requiresFactor)
         or exists (select from user_factors as f
                     where f.app_id = u.app_id and f.user_id = u.id and f.confirmed_at is not null))
        """
    }
}

extension AppBatch {
    /// Whether the app, or a role of the user's, requires a second factor.
    package mutating func requiresFactor(of user: UserID) -> BatchReading<Bool> {
        read(
            """
            select \(scope.requiresFactor) as is_required from users as u
             where u.app_id = \(scope.appID) and u.id = \(user)
            """
        ) { try $0.first?.get("is_required") ?? false }
    }
}
