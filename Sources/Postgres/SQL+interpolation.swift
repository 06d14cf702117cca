/// How a statement is written: a literal in which every interpolated value becomes a parameter.
///
/// There is no way to interpolate raw text; what varies is written as several `SQL` values.
extension SQL: ExpressibleByStringInterpolation {
    package init(stringLiteral value: String) {
        self.init(literal: value)
    }

    package init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.statement
    }

    /// Collects the literal's parts.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var statement = SQL(literal: "")

        package init(literalCapacity: Int, interpolationCount: Int) {
            statement.reserve(textBytes: literalCapacity + 3 * interpolationCount, parameters: interpolationCount)
        }

        /// Takes over text that stands in the source code.
        package mutating func appendLiteral(_ literal: String) {
            statement.append(text: literal)
        }

        /// Binds a value.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            statement.bind(value)
        }

        /// Binds a value or a `null` of the value's type.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            statement.bind(value)
        }

        /// Puts another statement in this place, with its parameters.
        package mutating func appendInterpolation(_ other: SQL) {
            statement.splice(other)
        }
    }
}
