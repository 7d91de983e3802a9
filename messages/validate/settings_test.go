package validate

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"troupe/messages/mesos"
	"troupe/messages/mesos/quota"
)

func amountOf(name string, v float64) map[string]*mesos.Value_Scalar {
	return map[string]*mesos.Value_Scalar{name: {Value: &v}}
}

func TestQuotaConfigs(t *testing.T) {
	for want, c := range map[string]*quota.QuotaConfig{
		"":                                   {Role: proto.String("web"), Guarantees: amountOf("cpus", 1), Limits: amountOf("cpus", 1)},
		"[0].role: ":                         {Role: proto.String("a/b")},
		"[0].guarantees[cpus]: NaN":          {Role: proto.String("a"), Guarantees: amountOf("cpus", math.NaN())},
		"[0].limits[cpus]: +Inf":             {Role: proto.String("a"), Limits: amountOf("cpus", math.Inf(1))},
		"[0].limits[cpus]: 2e+12":            {Role: proto.String("a"), Limits: amountOf("cpus", 2e12)},
		"[0].guarantees: \"a:b\"":            {Role: proto.String("a"), Guarantees: amountOf("a:b", 1)},
		"[0].guarantees[mem]: \"2\": is abo": {Role: proto.String("a"), Guarantees: amountOf("mem", 2), Limits: amountOf("mem", 1.999)},
	} {
		err := QuotaConfigs([]*quota.QuotaConfig{c})
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v, want %q", c, err, want)
		}
	}
}

// Whatever amounts are named, what is let through has guarantees within limits.
func TestGuaranteesAreWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		guarantee, limit := rapid.Float64().Draw(t, "guarantee"), rapid.Float64().Draw(t, "limit")
		err := QuotaConfigs([]*quota.QuotaConfig{{Role: proto.String("a"), Guarantees: amountOf("cpus", guarantee), Limits: amountOf("cpus", limit)}})
		if err == nil && (math.Round(guarantee*1000) > math.Round(limit*1000) || guarantee < 0) {
			t.Fatalf("%g of %g was let through", guarantee, limit)
		}
	})
}

func TestOlderQuotas(t *testing.T) {
	cpus := func(change func(*mesos.Resource)) *mesos.Resource {
		r := &mesos.Resource{Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(1)}}
		change(r)
		return r
	}
	plain := cpus(func(*mesos.Resource) {})
	for want, list := range map[string][]*mesos.Resource{
		"":                            {plain},
		"guarantee: must be set":      {},
		"guarantee[1].name: \"cpus\"": {plain, plain},
		"guarantee[0].name: \"cpus\": must not be revocable": {cpus(func(r *mesos.Resource) { r.Revocable = new(mesos.Resource_RevocableInfo) })},
		"guarantee[0].name: \"cpus\": must not be reserved":  {cpus(func(r *mesos.Resource) { r.Role = proto.String("a") })},
	} {
		err := QuotaRequest(&quota.QuotaRequest{Role: proto.String("a"), Guarantee: list})
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v, want %q", list, err, want)
		}
	}
	if err := QuotaRequest(new(quota.QuotaRequest)); err == nil || err.Error() != "role: must be set" {
		t.Errorf("without a role: %v", err)
	}
}
