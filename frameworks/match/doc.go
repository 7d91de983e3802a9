// Package match decides which hosts a constraint lets a task run on, in the
// words of Marathon: a field, an operator and a value, such as
// ["rack", "GROUP_BY"] or ["@hostname", "LIKE", "web[0-9]+"]. It also says why
// a host is refused, and who shall go first when there is one too many.
//
// It is a core: it calculates, and knows neither clock nor network. Frameworks
// and everything they are made of may import it.
//
//	rules, err := match.Parse([][]string{{"hostname", "UNIQUE"}, {"rack", "GROUP_BY"}})
//	spread := rules.Spread(placed, fleet)
//	host := match.HostOf(offer)
//	if no := spread.Check(host); no == nil { spread.Place(host) }
package match
