"""What the training voices say: digit readings and words that are not digits."""

CMN_DIGITS = {
    "0": ["ling2"],
    "1": ["yi1", "yi1", "yao1"],
    "2": ["er4", "er4", "er4", "er4", "liang3"],
    "3": ["san1"],
    "4": ["si4"],
    "5": ["wu3"],
    "6": ["liu4"],
    "7": ["qi1"],
    "8": ["ba1"],
    "9": ["jiu3"],
}
ENG_DIGIT_PHONEMES = {
    "0": ["zˈɪɹO", "zˈiɹO", "ˈO"],
    "1": ["wˈʌn"],
    "2": ["tˈu"],
    "3": ["θɹˈi"],
    "4": ["fˈɔɹ", "fˈɔː"],
    "5": ["fˈIv"],
    "6": ["sˈɪks"],
    "7": ["sˈɛvᵊn"],
    "8": ["ˈAt"],
    "9": ["nˈIn"],
}
# Syllables that no accent of Mandarin merges with a digit (no shi/si, lin/ling, niu/liu, qi/ji ... pairs).
CMN_WORDS = (
    "wo3 de5 ta1 men2 zai4 you3 ren2 zhe4 zhong1 guo2 da4 wei4 he2 dao4 shuo1 hui4 yao4 jiu4 chu1 ke3 ye3 "
    "dui4 sheng1 neng2 zhi1 guo4 fa1 cheng2 jing1 hou4 zuo4 tian1 xue2 tong2 hao3 ma5 qing3 wen4 xie4 kan4 "
    "ting1 dian4 hua4 ka3 hao4 ma3 ming2 zi4 dian3 fang2 che1 lu4 mai3 mai4 duo1 shao3 qian2 kuai4 ping2 an1 "
    "bei3 shang4 hai3 guang3 nan2 xi1 dong1 men2 kou3 jia1 peng2 gao1 xing4 huan1 ying2 man4 zou3 pao3 fei1"
).split()
ENG_WORDS = (
    "hello good morning please open the account my name is house water people under across window table paper "
    "green yellow orange monday friday weather summer winter coffee kitchen doctor school number telephone card "
    "address street city country photo camera picture answer question customer service welcome thank you very "
    "much would like another because market garden animal music company business problem important different "
    "children mother father brother sister hundred thousand twelve eleven fifteen minus dollar percent"
).split()
