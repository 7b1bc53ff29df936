/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
#include "parse/names_ascii.h"

#include <string.h>

/* One text for each code point from first to last, with commas between. */
typedef struct ascii_range {
    unsigned long first;
    unsigned long last;
    const char *texts;
} ascii_range;

/* In order; a range has 64 code points or less, since a look-up walks it.
 * Made from UnicodeData.txt; t/unit/parse_names_test.c holds a checksum over
 * all 2,130 characters that have such a text. */
static const ascii_range ranges[] = {
    { 0xA0, 0xA0, " " },
    { 0xA8, 0xE7,
      " ,,a,,,,, ,,,2,3, ,,,, ,1,o,,14,12,34,,A,A,A,A,A,A,,C,E,E,E,E,I,I,I,"
      "I,,N,O,O,O,O,O,,,U,U,U,U,Y,,,a,a,a,a,a,a,,c" },
    { 0xE8, 0x125,
      "e,e,e,e,i,i,i,i,,n,o,o,o,o,o,,,u,u,u,u,y,,y,A,a,A,a,A,a,C,c,C,c,C,c,"
      "C,c,D,d,,,E,e,E,e,E,e,E,e,E,e,G,g,G,g,G,g,G,g,H,h" },
    { 0x128, 0x165,
      "I,i,I,i,I,i,I,i,I,,IJ,ij,J,j,K,k,,L,l,L,l,L,l,L,l,,,N,n,N,n,N,n,n,,,"
      "O,o,O,o,O,o,,,R,r,R,r,R,r,S,s,S,s,S,s,S,s,T,t,T,t" },
    { 0x168, 0x17F, "U,u,U,u,U,u,U,u,U,u,U,u,W,w,Y,y,Y,Z,z,Z,z,Z,z,s" },
    { 0x1A0, 0x1A1, "O,o" },
    { 0x1AF, 0x1B0, "U,u" },
    { 0x1C4, 0x203,
      "DZ,Dz,dz,LJ,Lj,lj,NJ,Nj,nj,A,a,I,i,O,o,U,u,U,u,U,u,U,u,U,u,,A,a,A,a,"
      ",,,,G,g,K,k,O,o,O,o,,,j,DZ,Dz,dz,G,g,,,N,n,A,a,,,,,A,a,A,a" },
    { 0x204, 0x21F, "E,e,E,e,I,i,I,i,O,o,O,o,R,r,R,r,U,u,U,u,S,s,T,t,,,H,h" },
    { 0x226, 0x233, "A,a,E,e,O,o,O,o,O,o,O,o,Y,y" },
    { 0x2B0, 0x2B8, "h,,j,r,,,,w,y" },
    { 0x2D8, 0x2E3, " , , , , , ,,,,l,s,x" },
    { 0x37A, 0x385, " ,,,,#,,,,,, , " },
    { 0x1D2C, 0x1D5B,
      "A,,B,,D,E,,G,H,I,J,K,L,M,N,,O,,P,R,T,U,W,a,,,,b,d,e,,,,g,,k,m,,o,,,,"
      "p,t,u,,,v" },
    { 0x1D62, 0x1D65, "i,r,u,v" },
    { 0x1D9C, 0x1DA0, "c,,,,f" },
    { 0x1DBB, 0x1DBB, "z" },
    { 0x1E00, 0x1E3F,
      "A,a,B,b,B,b,B,b,C,c,D,d,D,d,D,d,D,d,D,d,E,e,E,e,E,e,E,e,E,e,F,f,G,g,"
      "H,h,H,h,H,h,H,h,H,h,I,i,I,i,K,k,K,k,K,k,L,l,L,l,L,l,L,l,M,m" },
    { 0x1E40, 0x1E7F,
      "M,m,M,m,N,n,N,n,N,n,N,n,O,o,O,o,O,o,O,o,P,p,P,p,R,r,R,r,R,r,R,r,S,s,"
      "S,s,S,s,S,s,S,s,T,t,T,t,T,t,T,t,U,u,U,u,U,u,U,u,U,u,V,v,V,v" },
    { 0x1E80, 0x1EBF,
      "W,w,W,w,W,w,W,w,W,w,X,x,X,x,Y,y,Z,z,Z,z,Z,z,h,t,w,y,a,s,,,,,A,a,A,a,"
      "A,a,A,a,A,a,A,a,A,a,A,a,A,a,A,a,A,a,A,a,E,e,E,e,E,e,E,e" },
    { 0x1EC0, 0x1EF9,
      "E,e,E,e,E,e,E,e,I,i,I,i,O,o,O,o,O,o,O,o,O,o,O,o,O,o,O,o,O,o,O,o,O,o,"
      "O,o,U,u,U,u,U,u,U,u,U,u,U,u,U,u,Y,y,Y,y,Y,y,Y,y" },
    { 0x1FBD, 0x1FC1, " ,, , , " },
    { 0x1FCD, 0x1FCF, " , , " },
    { 0x1FDD, 0x1FDF, " , , " },
    { 0x1FED, 0x1FEF, " , ,#" },
    { 0x1FFD, 0x200A, " , ,, , , , , , , , , , , " },
    { 0x2017, 0x2017, " " },
    { 0x2024, 0x2026, ".,..,..." },
    { 0x202F, 0x202F, " " },
    { 0x203C, 0x203E, "##,, " },
    { 0x2047, 0x2049, "##,##,##" },
    { 0x205F, 0x205F, " " },
    { 0x2070, 0x209C,
      "0,i,,,4,5,6,7,8,9,#,,#,#,#,n,0,1,2,3,4,5,6,7,8,9,#,,#,#,#,,a,e,o,x,,"
      "h,k,l,m,n,p,s,t" },
    { 0x20A8, 0x20A8, "Rs" },
    { 0x2100, 0x213B,
      "a c,a s,C,C,,c o,c u,,,F,g,H,H,H,h,,I,I,L,l,,N,No,,,P,Q,R,R,R,,,SM,T"
      "EL,TM,,Z,,,,Z,,K,A,B,C,,e,E,F,,M,o,,,,,i,,FAX" },
    { 0x2145, 0x2149, "D,d,e,i,j" },
    { 0x2150, 0x217F,
      "17,19,110,13,23,15,25,35,45,16,56,18,38,58,78,1,I,II,III,IV,V,VI,VII"
      ",VIII,IX,X,XI,XII,L,C,D,M,i,ii,iii,iv,v,vi,vii,viii,ix,x,xi,xii,l,c,"
      "d,m" },
    { 0x2189, 0x2189, "03" },
    { 0x2260, 0x2260, "#" },
    { 0x226E, 0x226F, "#,#" },
    { 0x2460, 0x249F,
      "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,#1#,#2#,#3#,#4#,#"
      "5#,#6#,#7#,#8#,#9#,#10#,#11#,#12#,#13#,#14#,#15#,#16#,#17#,#18#,#19#"
      ",#20#,1.,2.,3.,4.,5.,6.,7.,8.,9.,10.,11.,12.,13.,14.,15.,16.,17.,18."
      ",19.,20.,#a#,#b#,#c#,#d#" },
    { 0x24A0, 0x24DF,
      "#e#,#f#,#g#,#h#,#i#,#j#,#k#,#l#,#m#,#n#,#o#,#p#,#q#,#r#,#s#,#t#,#u#,"
      "#v#,#w#,#x#,#y#,#z#,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,"
      "Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p" },
    { 0x24E0, 0x24EA, "q,r,s,t,u,v,w,x,y,z,0" },
    { 0x2A74, 0x2A76, "###,##,###" },
    { 0x2C7C, 0x2C7D, "j,V" },
    { 0x3000, 0x3000, " " },
    { 0x309B, 0x309C, " , " },
    { 0x3200, 0x323F,
      "##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##"
      ",##,##,##,##,##,##,##,##,,##,##,##,##,##,##,##,##,##,##,##,##,##,##,"
      "##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##,##" },
    { 0x3240, 0x3243, "##,##,##,##" },
    { 0x3250, 0x325F, "PTE,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35" },
    { 0x32B1, 0x32CF,
      "36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,1,2,3,4,5,6,7,8,9,10,11"
      ",12,Hg,erg,eV,LTD" },
    { 0x3358, 0x3397,
      "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,hPa"
      ",da,AU,bar,oV,pc,dm,dm2,dm3,IU,,,,,,pA,nA,A,mA,kA,KB,MB,GB,cal,kcal,"
      "pF,nF,F,g,mg,kg,Hz,kHz,MHz,GHz,THz,l,ml,dl" },
    { 0x3398, 0x33D7,
      "kl,fm,nm,m,mm,cm,km,mm2,cm2,m2,km2,mm3,cm3,m3,km3,ms,ms2,Pa,kPa,MPa,"
      "GPa,rad,rads,rads2,ps,ns,s,ms,pV,nV,V,mV,kV,MV,pW,nW,W,mW,kW,MW,k,M,"
      "a.m.,Bq,cc,cd,Ckg,Co.,dB,Gy,ha,HP,in,KK,KM,kt,lm,ln,log,lx,mb,mil,mo"
      "l,PH" },
    { 0x33D8, 0x33FF,
      "p.m.,PPM,PR,sr,Sv,Wb,Vm,Am,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"
      ",18,19,20,21,22,23,24,25,26,27,28,29,30,31,gal" },
    { 0xA7F2, 0xA7F4, "C,F,Q" },
    { 0xFB00, 0xFB06, "ff,fi,fl,ffi,ffl,st,st" },
    { 0xFB29, 0xFB29, "#" },
    { 0xFC5E, 0xFC63, " , , , , , " },
    { 0xFDFA, 0xFDFB, "   , " },
    { 0xFE10, 0xFE19, "#,,,#,#,#,#,,,..." },
    { 0xFE30, 0xFE38, "..,,,_,_,#,#,#,#" },
    { 0xFE47, 0xFE7E,
      "#,#, , , , ,_,_,_,#,,.,,#,#,#,#,,#,#,#,#,,,#,#,#,#,-,#,#,#,, ,#,#,#,"
      ",,,, ,, ,, ,, ,, ,, ,, ,, " },
    { 0xFF01, 0xFF40,
      "#,#,#,#,#,#,#,#,#,#,#,#,-,., ,0,1,2,3,4,5,6,7,8,9,#,#,#,#,#,#,#,A,B,"
      "C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,#, ,#,#,_,#" },
    { 0xFF41, 0xFF5E,
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,#,#,#,#" },
    { 0xFFE3, 0xFFE3, " " },
    { 0x107A5, 0x107A5, "q" },
    { 0x1D400, 0x1D43F,
      "A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,"
      "i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L" },
    { 0x1D440, 0x1D47F,
      "M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,,i,j,k,l,m,n,o,p,q,r,s,t,u"
      ",v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X" },
    { 0x1D480, 0x1D4BF,
      "Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,,C,D,,,G,,"
      ",J,K,,,N,O,P,Q,,S,T,U,V,W,X,Y,Z,a,b,c,d,,f,,h,i,j" },
    { 0x1D4C0, 0x1D4FF,
      "k,l,m,n,,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S"
      ",T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v" },
    { 0x1D500, 0x1D53E,
      "w,x,y,z,A,B,,D,E,F,G,,,J,K,L,M,N,O,P,Q,,S,T,U,V,W,X,Y,,a,b,c,d,e,f,g"
      ",h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,,D,E,F,G" },
    { 0x1D540, 0x1D57F,
      "I,J,K,L,M,,O,,,,S,T,U,V,W,X,Y,,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s"
      ",t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T" },
    { 0x1D580, 0x1D5BF,
      "U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,"
      "C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f" },
    { 0x1D5C0, 0x1D5FF,
      "g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,"
      "O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r" },
    { 0x1D600, 0x1D63F,
      "s,t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,"
      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D" },
    { 0x1D640, 0x1D67F,
      "E,F,G,H,I,J,K,L,M,N,O,P,Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,"
      "m,n,o,p,q,r,s,t,u,v,w,x,y,z,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P" },
    { 0x1D680, 0x1D6A3,
      "Q,R,S,T,U,V,W,X,Y,Z,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,"
      "y,z" },
    { 0x1D7CE, 0x1D7FF,
      "0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,"
      "4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9" },
    { 0x1F100, 0x1F13F,
      "0.,0#,1#,2#,3#,4#,5#,6#,7#,8#,9#,,,,,,#A#,#B#,#C#,#D#,#E#,#F#,#G#,#H"
      "#,#I#,#J#,#K#,#L#,#M#,#N#,#O#,#P#,#Q#,#R#,#S#,#T#,#U#,#V#,#W#,#X#,#Y"
      "#,#Z#,S,C,R,CD,WZ,,A,B,C,D,E,F,G,H,I,J,K,L,M,N,O,P" },
    { 0x1F140, 0x1F14F, "Q,R,S,T,U,V,W,X,Y,Z,HV,MV,SD,SS,PPV,WC" },
    { 0x1F16A, 0x1F16C, "MC,MD,MR" },
    { 0x1F190, 0x1F190, "DJ" },
    { 0x1FBF0, 0x1FBF9, "0,1,2,3,4,5,6,7,8,9" },
};

/* The range with cp, or NULL. */
static const ascii_range *find_range(unsigned long cp)
{
    size_t low = 0;
    size_t high = sizeof(ranges) / sizeof(ranges[0]);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cp < ranges[middle].first) {
            high = middle;
        }
        else if (cp > ranges[middle].last) {
            low = middle + 1;
        }
        else {
            return &ranges[middle];
        }
    }
    return NULL;
}

const char *upool_names_ascii(unsigned long cp, size_t *len)
{
    const ascii_range *range = find_range(cp);
    const char *text = range != NULL ? range->texts : "";
    unsigned long skip = range != NULL ? cp - range->first : 0;

    while (skip > 0 && *text != '\0') {
        skip -= *text == ',';
        text++;
    }
    *len = strcspn(text, ",");
    return text;
}
