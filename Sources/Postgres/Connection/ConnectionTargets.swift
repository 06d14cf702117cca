import CLibpq

/// The hosts that a connection string names, each with the parameters to connect to it alone.
///
/// libpq tries several hosts by itself, but without a time limit for each when it must not block: a machine that
/// swallows packets would use up the time of all. So each host becomes an attempt of its own.
struct ConnectionTargets: Sendable {
    /// libpq's keywords and values for one host.
    struct Target: Sendable {
        let parameters: [(keyword: String, value: String)]

        fileprivate func requiring(_ attributes: String) -> Target {
            let others = parameters.filter { $0.keyword != "target_session_attrs" }
            return Target(parameters: others + [("target_session_attrs", attributes)])
        }
    }

    let targets: [Target]

    /// Parses a connection string; none if libpq cannot.
    init?(_ connectionString: String) {
        guard !connectionString.utf8.contains(0), let options = Self.parse(connectionString) else { return nil }
        func list(_ keyword: String) -> [String]? {
            let value = options.first { $0.keyword == keyword }?.value
            return value?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let common = options.filter { !["host", "hostaddr", "port"].contains($0.keyword) }
        let single = (0..<max(hosts?.count ?? 1, addresses?.count ?? 1)).map { index in
            var parameters = common
            for (keyword, values) in [("host", hosts), ("hostaddr", addresses), ("port", ports)] {
                guard let values else { continue }
                // One port may stand for all hosts.
                guard let value = values.count == 1 ? values[0] : index < values.count ? values[index] : nil
                else { continue }
                if !value.isEmpty { parameters.append((keyword, value)) }
            }
            return Target(parameters: parameters)
        }
        // A preference needs two rounds over the hosts, which libpq cannot know when it sees one at a time.
        let attributes = common.first { $0.keyword == "target_session_attrs" }?.value
        targets =
            attributes == "prefer-standby"
            ? ["standby", "any"].flatMap { attributes in
                single.map { $0.requiring(attributes) }
            } : single
    }

    private static func parse(_ connectionString: String) -> [(keyword: String, value: String)]? {
        guard let options = unsafe PQconninfoParse(connectionString, nil) else { return nil }
        defer { unsafe PQconninfoFree(options) }
        var found: [(keyword: String, value: String)] = []
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                found.append(unsafe (String(cString: keyword), String(cString: value)))
            }
            unsafe option += 1
        }
        return found
    }
}
