package import GatepostModel
import Postgres

extension AppBatch {
    /// Adds to a session's methods what was proved in it just now.
    package mutating func addMethods(_ methods: [String], to session: SessionID) {
        add(
            """
            update sessions as s
               set amr = s.amr || array(select method
                                          from unnest(\(methods)::text[]) with ordinality as n (method, place)
                                         where method <> all (s.amr)
                                         order by place)
             where s.app_id = \(scope.appID) and s.id = \(session) and s.ended_at is null
            """)
    }
}
