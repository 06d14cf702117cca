import GatepostModel

/// A line of `Forwarded` (RFC 7239, section 4): for each proxy on the way whom it heard from.
///
/// Read whole and strictly. A quoted text that a caller leaves open swallows what a proxy adds behind it, and then the
/// line does not end as it must; so it is refused and not read in some other way.
enum ForwardedField {
    /// What each element of a line says of `for`, in order, empty where it says nothing; nil for a line that is not as
    /// the RFC has it.
    static func nodes(in line: String) -> [String]? {
        var rest = line[...]
        var (nodes, node, names): ([String], String, Set<String>) = ([], "", [])
        while true {
            rest = rest.drop(while: isBlank)
            if let first = rest.first, first != ";", first != "," {
                guard let (name, value) = pair(&rest), names.insert(name).inserted else { return nil }
                if name == "for" { node = value }
                rest = rest.drop(while: isBlank)
            }
            switch rest.popFirst() {
            case ";": continue
            case ",":
                nodes.append(node)
                (node, names) = ("", [])
            case nil: return nodes + [node]
            default: return nil
            }
        }
    }

    /// The address of a node (section 6): IPv6 stands in brackets, a port or a stand-in for one may follow; nil for
    /// `unknown` and for names that proxies give themselves.
    static func address(_ node: String) -> IPAddress? {
        if node.hasPrefix("["), let end = node.firstIndex(of: "]") {
            let inner = node[node.index(after: node.startIndex)..<end]
            return inner.contains(":") && isPort(node[node.index(after: end)...]) ? IPAddress(inner) : nil
        }
        let address = node.prefix { $0 != ":" }
        return isPort(node.dropFirst(address.count)) ? IPAddress(address) : nil
    }

    /// Takes `name=value` off the front, the name in lower case.
    private static func pair(_ rest: inout Substring) -> (name: String, value: String)? {
        let name = rest.prefix(while: isTokenCharacter)
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty, rest.popFirst() == "=" else { return nil }
        if rest.first == "\"" {
            rest = rest.dropFirst()
            return quoted(&rest).map { (name.lowercased(), $0) }
        }
        let value = rest.prefix(while: isTokenCharacter)
        rest = rest.dropFirst(value.count)
        return value.isEmpty ? nil : (name.lowercased(), String(value))
    }

    /// Takes a quoted text off the front, whose first quote is gone; nil if it does not end.
    private static func quoted(_ rest: inout Substring) -> String? {
        var text = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default: text.append(character)
            }
        }
        return nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard let first = text.first else { return true }
        let port = text.dropFirst()
        if first == ":", port.first == "_" {
            return port.count > 1 && port.utf8.allSatisfy { isTokenByte($0) }
        }
        return first == ":" && (1...5).contains(port.utf8.count)
            && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func isTokenCharacter(_ character: Character) -> Bool {
        character.utf8.count == 1 && character.utf8.allSatisfy(isTokenByte)
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
