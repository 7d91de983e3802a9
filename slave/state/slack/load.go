package slack

import "fmt"

// Load ends every container that was lent something while the machine has more
// to do than a threshold allows. A threshold that is not above 0 is none.
type Load struct {
	// How many processes may want to run, in the mean of 5 and of 15 minutes.
	FiveMinutes, FifteenMinutes float64
}

// Correct implements Controller.
func (l Load) Correct(s Sample) []Correction {
	why := ""
	switch five, fifteen := s.Load[1], s.Load[2]; {
	case l.FiveMinutes > 0 && five > l.FiveMinutes:
		why = fmt.Sprintf("the load of 5 minutes, %.2f, is above %g", five, l.FiveMinutes)
	case l.FifteenMinutes > 0 && fifteen > l.FifteenMinutes:
		why = fmt.Sprintf("the load of 15 minutes, %.2f, is above %g", fifteen, l.FifteenMinutes)
	default:
		return nil
	}
	var list []Correction
	for _, c := range s.Containers {
		if c.Revocable() {
			list = append(list, Correction{c.ID, why})
		}
	}
	return list
}
