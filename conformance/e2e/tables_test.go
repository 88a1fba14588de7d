package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func (s *server) tables() vedettev1connect.TableServiceClient {
	return vedettev1connect.NewTableServiceClient(http.DefaultClient, s.url, s.bearer())
}

// testTables takes a table through its life on the page: mended, uploaded, searched, changed row by row, downloaded.
func testTables(t *testing.T, s *server, _ string) {
	s.createUser(t.Context(), "tina", "read-only", mainTenant)
	p := openPage(t, "tables", s.url)
	p.signIn(s)
	p.open(s.url + "/tables/new?org=main")
	p.says(`Nothing to read yet`)
	file := filepath.Join(t.TempDir(), "Office Networks.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.giveFile(file)
	}
	var rows strings.Builder
	rows.WriteString("network,owner\n10.0.0.0/8,<b>office</b>\n")
	for range 700 {
		rows.WriteString("192.0.2.0/24,again\n")
	}
	write(rows.String() + "host,nobody\n198.51.100.0/24\n203.0.113.0/24,=1+1\n")
	p.says(`699 have the key of an earlier one[^\n]*2 problems: as it is, it is refused`)
	p.says(`line 703 "host" is neither an address nor a network\s+line 704 wrong number of fields`)
	p.says(`<b>office</b>`)
	p.picture("tables-problems")
	p.axe("an upload with problems")
	p.disabled("button", "Keep the table")
	p.click("button", "Let go of it")
	write("network,owner\n10.0.0.0/8,<b>office</b>\n192.0.2.0/24,=1+1\n198.51.100.0/24,gone\n")
	p.says(`3 rows`)
	p.gone("list", "What is wrong")
	if name := on[string](p.find("textbox", "Name"), "function() { return this.value }"); name != "office-networks" {
		t.Errorf("the table is named %q after its file", name)
	}
	p.click("button", "Keep the table")
	p.find("heading", "office-networks")
	p.find("row", `10\.0\.0\.0/8 <b>office</b>`)
	changesRows(t, s, p)
	p.open(s.url + "/tables?org=main")
	p.find("row", `office-networks Main organization network network, owner 3 .* nobody .*`)
	p.picture("tables")
	p.axe("the tables")
	p.reachedByKeyboard(s.url+"/tables?org=main", "row", "office-networks .*")
	p.reachedByKeyboard(fmt.Sprintf("%s/tables/rows?of=%d&name=office-networks", s.url, mainTenant), "row", `10\.0\.0\.0/8 .*`)
	p.reachedByKeyboard(s.url+"/tables/new?org=main", "combobox", "Keys are compared")
	asReader(t, s)
}

// rowsOf is what the host has in the table.
func rowsOf(t *testing.T, s *server) string {
	t.Helper()
	r, err := s.tables().GetTable(t.Context(), connect.NewRequest(&v1.GetTableRequest{Name: "office-networks", Tenant: mainTenant}))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range r.Msg.Rows {
		rows = append(rows, strings.Join(row.Cells, "="))
	}
	return strings.Join(rows, " ")
}

func changesRows(t *testing.T, s *server, p *page) {
	t.Helper()
	want := func(rows string) {
		t.Helper()
		s.until("the rows "+rows, patience, func() bool { return rowsOf(t, s) == rows })
	}
	p.fill("textbox", "Search the rows", "GONE")
	p.says(`1 of 3 rows`)
	p.find("row", `198\.51\.100\.0/24 gone`).click()
	p.press("d")
	p.says(`“198\.51\.100\.0/24” is taken out`)
	want("10.0.0.0/8=<b>office</b> 192.0.2.0/24==1+1")
	p.click("button", "Undo")
	want("10.0.0.0/8=<b>office</b> 192.0.2.0/24==1+1 198.51.100.0/24=gone")
	p.fill("textbox", "Search the rows", " ")
	p.click("button", "Add a row")
	p.fill("textbox", "network", "nonsense")
	p.fill("textbox", "owner", "me")
	p.axe("the dialog of a row")
	p.find("dialog", "Add a row")
	p.press(keyEnter)
	p.says(`"nonsense" is neither an address nor a network`)
	p.fill("textbox", "network", "2001:db8::/32")
	p.press(keyEnter)
	p.noDialog()
	p.find("row", `2001:db8::/32 me`).click()
	p.press("e")
	p.fill("textbox", "network", "2001:db8:1::/48")
	p.press(keyEnter)
	p.noDialog()
	want("10.0.0.0/8=<b>office</b> 192.0.2.0/24==1+1 198.51.100.0/24=gone 2001:db8:1::/48=me")
	p.picture("tables-rows")
	p.axe("the rows of a table")
	p.find("row", `198\.51\.100\.0/24 gone`).click()
	p.click("button", "Take out")
	want("10.0.0.0/8=<b>office</b> 192.0.2.0/24==1+1 2001:db8:1::/48=me")
}

// asReader: somebody who may only read sees rows and changes none.
func asReader(t *testing.T, s *server) {
	t.Helper()
	p := openPage(t, "tables-reader", s.url)
	p.signInAs("tina", userPassword)
	p.open(s.url + "/tables")
	p.find("row", "office-networks Main organization .*")
	p.disabled("button", "Add a table")
	p.open(fmt.Sprintf("%s/tables/rows?of=%d&name=office-networks", s.url, mainTenant))
	p.find("row", `10\.0\.0\.0/8 <b>office</b>`).click()
	for _, button := range []string{"Add a row", "Take out", "Change the row"} {
		if why := p.disabled("button", button); !strings.Contains(why, "Your role, read-only, may not change modules") {
			t.Errorf("%s says %q", button, why)
		}
	}
}
