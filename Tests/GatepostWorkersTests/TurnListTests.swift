import GatepostModel
import GatepostOutbox
@testable import GatepostWorkers
import TestSupport
import Testing

@Suite("Turn list", .showsSeed)
struct TurnListTests {
    let random = SeededRandom()
    let start = TestClock.start

    private func apps(_ count: Int) -> [AppID] {
        (0..<count).map { _ in AppID.make(at: start, random: random) }
    }

    private func turns(_ apps: [AppID]) -> [AppTurn] { apps.map { AppTurn(app: $0, floor: start) } }

    @Test func `apps are taken in the order they came, and once`() {
        let apps = apps(5)
        var list = TurnList()
        list.add(turns(apps))
        list.add(turns([apps[0]]))

        #expect(list.take(3).map(\.app) == Array(apps[0..<3]))
        #expect(list.take(10).map(\.app) == Array(apps[3..<5]))
        #expect(list.isEmpty)
    }

    @Test func `an app that gave all it was asked for goes to the end, with a floor before its last row`() {
        let apps = apps(2)
        var list = TurnList()
        list.add(turns(apps))
        let taken = list.take(1)
        let last = start + .seconds(30)

        list.note(taken, gave: [apps[0]: [start + .seconds(10), last]], of: 2)

        let rest = list.take(2)
        #expect(rest.map(\.app) == [apps[1], apps[0]])
        #expect(rest.map(\.floor) == [start, last - .seconds(2)])
    }

    @Test func `a floor never falls behind the one it had`() {
        let apps = apps(1)
        var list = TurnList()
        list.add(turns(apps))

        list.note(list.take(1), gave: [apps[0]: [start + .seconds(1)]], of: 1)

        #expect(list.take(1).map(\.floor) == [start])
    }

    @Test func `an app that gave fewer leaves the list`() {
        let apps = apps(2)
        var list = TurnList()
        list.add(turns(apps))
        let taken = list.take(2)

        list.note(taken, gave: [apps[0]: [start]], of: 2)

        #expect(list.isEmpty)
    }

    @Test func `an app that is found again while its claim runs is not lost with it`() {
        let apps = apps(1)
        var list = TurnList()
        list.add(turns(apps))
        let taken = list.take(1)

        list.add([AppTurn(app: apps[0], floor: start + .seconds(5))])
        list.note(taken, gave: [:], of: 2)

        #expect(list.take(1) == [AppTurn(app: apps[0], floor: start + .seconds(5))])
    }

    @Test func `of two floors of one app the earlier one counts`() {
        let apps = apps(1)
        var list = TurnList()
        list.add([AppTurn(app: apps[0], floor: start + .seconds(5))])
        list.add(turns(apps))
        list.add([AppTurn(app: apps[0], floor: start + .seconds(9))])

        #expect(list.take(1).map(\.floor) == [start])
    }

    @Test func `every app gets its turn beside one that never runs dry`() {
        let apps = apps(50)
        var list = TurnList()
        list.add(turns(apps))
        var served: [AppID: Int] = [:]
        for round in 0..<1000 {
            let taken = list.take(3)
            for turn in taken { served[turn.app, default: 0] += 1 }
            let readyTimes = Dictionary(uniqueKeysWithValues: taken.map { ($0.app, [start + .seconds(Int64(round))]) })
            list.note(taken, gave: readyTimes, of: 1)
        }

        #expect(served.count == 50)
        #expect((served.values.max() ?? 0) - (served.values.min() ?? 0) <= 1)
        #expect(list.count == 50)
    }

    @Test func `the list is bounded`() {
        var list = TurnList()
        list.add(turns(apps(TurnList.appsMax + 10)))

        #expect(list.count == TurnList.appsMax)
    }
}
