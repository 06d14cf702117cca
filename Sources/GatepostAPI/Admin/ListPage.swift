import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// The parameters of a query, each of which is known and comes once.
struct QueryParameters: Sendable {
    /// The longest value, in bytes: a cursor or an address is shorter.
    static let valueBytesMax = 300

    private let values: [String: String]

    /// Reads a request's query; throws a `Problem` that names no value.
    init(_ request: Request, known: Set<String>) throws {
        var values: [String: String] = [:]
        for (name, value) in request.uri.queryParameters {
            guard known.contains(String(name)) else {
                throw Problem(.invalidRequest, detail: "The query has a parameter that this route does not know.")
            }
            guard value.utf8.count <= Self.valueBytesMax, value.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
                throw Problem(.invalidRequest, detail: "\(name) has an invalid value.")
            }
            guard values.updateValue(String(value), forKey: String(name)) == nil else {
                throw Problem(.invalidRequest, detail: "A parameter comes twice.")
            }
        }
        self.values = values
    }

    /// A parameter's value; nil if it was left out or empty.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A parameter that is made of a text; throws a `Problem` where the text makes none.
    func value<Value>(_ name: String, _ make: (String) -> Value?) throws -> Value? {
        guard let text = self[name] else { return nil }
        guard let value = make(text) else { throw Problem(.invalidRequest, detail: "\(name) has an invalid value.") }
        return value
    }
}

/// Which page of a list is asked for: `limit` and `cursor`.
struct ListPage: Sendable {
    static let parameters: Set<String> = ["limit", "cursor"]

    let limit: Int
    let cursor: PageCursor?
    private let app: AppID
    private let list: String
    private let keys: KeyRing

    /// Reads the page out of a query.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - list: Which list, with its filter: a cursor of another one is refused.
    ///   - app: Whose rows are listed.
    ///   - keys: The key ring.
    /// - Throws: A `Problem` for a limit out of bounds or a cursor of another list.
    init(_ query: QueryParameters, of list: String, app: AppID, keys: KeyRing) throws {
        (self.app, self.list, self.keys) = (app, list, keys)
        let limit = try query.value("limit") { Int($0) } ?? PageCursor.rowsDefault
        guard (1...PageCursor.rowsMax).contains(limit) else {
            throw Problem(.invalidRequest, detail: "limit is a number from 1 to \(PageCursor.rowsMax).")
        }
        self.limit = limit
        cursor = try query["cursor"].map { text in
            guard let cursor = PageCursor(text, app: app, list: list, keys: keys) else {
                throw Problem(.invalidCursor)
            }
            return cursor
        }
    }

    /// The same for the admin API.
    init(_ query: QueryParameters, of list: String, _ context: AdminRequestContext, keys: KeyRing) throws {
        try self.init(query, of: list, app: context.scope.appID, keys: keys)
    }

    /// The rows to read: one more than are shown tells whether there is a next page.
    var readLimit: Int { limit + 1 }

    /// The answer.
    ///
    /// - Parameters:
    ///   - rows: What was read, up to `readLimit`.
    ///   - position: The moment and id that the list is sorted by.
    ///   - item: How a row is shown.
    /// - Returns: The page, with the cursor of the next one if there is one.
    func answer<Row, Item: Encodable>(
        _ rows: [Row], position: (Row) -> (at: Instant, id: UUIDBits), _ item: (Row) -> Item
    ) -> ListAnswer<Item> {
        let shown = rows.prefix(limit)
        let next = rows.count > limit ? shown.last.map(position) : nil
        return ListAnswer(
            items: shown.map(item),
            nextCursor: next.map { PageCursor(at: $0.at, id: $0.id).text(app: app, list: list, keys: keys) })
    }
}

/// A page of a list.
struct ListAnswer<Item: Encodable>: ResponseEncodable {
    let items: [Item]
    /// Nil on the last page.
    let nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case items
        case nextCursor = "next_cursor"
    }
}
