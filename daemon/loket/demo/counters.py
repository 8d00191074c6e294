"""The mail addresses of the office's counters, as its public notice prints them."""

OT = "penilaian_ot@pom.go.id"
SM = "penilaian_sm_kuasi@pom.go.id"
AKUN = "akun_otsk@yahoo.com"
DITLAI = "ditlai_otsmkos@yahoo.co.id"
IKLAN = "iklan_otsk@yahoo.com"
IT = "itkonsultasi@yahoo.com"
DESAIN = "desainsk.otsk2020@gmail.com"

COUNTERS = (OT, SM, AKUN, DITLAI, IKLAN, IT, DESAIN)
